"""What a change of the rules does to households: each of a sample is asked on both days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cache

from pydantic import BaseModel, ConfigDict, Field

from contracts.benefits import Benefit
from services.rulebook.data_files import RULEBOOK, read_yaml
from services.rulebook.household_file import HouseholdFile, household_of
from services.rulebook.menu import Group, Menu, menus


class Effect(BaseModel):
    """One benefit that a household is owed otherwise on the later day."""

    model_config = ConfigDict(frozen=True)

    household: str
    benefit: Benefit
    before: Group
    after: Group
    amount_fen_before: int | None = Field(description="Per period; None where nothing is owed.")
    amount_fen_after: int | None


@cache
def sample() -> tuple[HouseholdFile, ...]:
    """Households as they are often met (sample.yaml); `place` and `day` are those of the question."""
    return tuple(household_of({"title": str(title), "place": "江津区", "day": date(2026, 1, 1), **row}, "sample.yaml")
                 for title, row in read_yaml(RULEBOOK / "sample.yaml").items())


def effects(households: Sequence[HouseholdFile], code: str, first: date, last: date) -> list[Effect]:
    """What the households are owed otherwise in a place on `last` than on `first`. Raises UnknownPlace.

    The facts of a household are the same on both days: only rules differ, and ages where the days lie far apart.
    """
    asked = [household.facts(last).model_copy(update={"place": code}) for household in households]
    before = menus([household.model_copy(update={"on": first}) for household in asked])
    after = menus(asked)
    return [effect for earlier, later in zip(before, after, strict=True) for effect in _effects(earlier, later)]


def _effects(before: Menu, after: Menu) -> list[Effect]:
    earlier = {entry.benefit: entry for entry in before.entries}
    return [
        Effect(household=after.key, benefit=entry.benefit, before=was.group, after=entry.group,
               amount_fen_before=was.amount_fen, amount_fen_after=entry.amount_fen)
        for entry in after.entries for was in (earlier[entry.benefit],)
        if (was.group, was.amount_fen) != (entry.group, entry.amount_fen)
    ]
