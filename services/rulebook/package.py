"""The package (套餐): of the benefits a household qualifies for, the set that goes together and gives it most."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Protocol
from uuid import UUID

from pydantic import Field

from contracts.benefits import Benefit
from services.rulebook.benefit_rules import benefits
from services.rulebook.models import AmountLine, Answer


class Package(Answer):
    """The benefits that go together and give most."""

    benefits: list[Benefit]
    year_fen: int
    left_out: dict[Benefit, Benefit] = Field(description="What was left out, and the benefit that excludes it.")


class Qualifying(Protocol):
    """What is chosen from."""

    benefit: Benefit
    year_fen: int | None
    lines: list[AmountLine]


def best_package(qualifying: Sequence[Qualifying], kept: Benefit | None) -> Package:
    """The set without exclusions that comes to most in a year; of equals the one with more benefits.

    `kept`: the benefit on which what follows was told, so that it is not left out.
    """
    contested = [entry for entry in qualifying if any(_exclude(entry, other) for other in qualifying)]
    best: tuple[Qualifying, ...] = ()
    for size in range(len(contested), 0, -1):
        for chosen in combinations(contested, size):
            if any(_exclude(one, other) for one, other in combinations(chosen, 2)):
                continue
            if kept in {entry.benefit for entry in contested} - {entry.benefit for entry in chosen}:
                continue
            if not best or _total(chosen) > _total(best):
                best = chosen
    left_out = {entry.benefit: next(other.benefit for other in best if _exclude(entry, other))
                for entry in contested if entry not in best}
    together = [entry for entry in qualifying if entry.benefit not in left_out]
    return Package(benefits=[entry.benefit for entry in together], year_fen=_total(together), left_out=left_out)


def _exclude(one: Qualifying, other: Qualifying) -> bool:
    """Benefits of persons exclude each other for the same person only; of households, for everybody in it."""
    rules = benefits()
    if other.benefit not in rules[one.benefit].excludes and one.benefit not in rules[other.benefit].excludes:
        return False
    persons = _persons(one), _persons(other)
    return None in persons[0] | persons[1] or bool(persons[0] & persons[1])


def _persons(entry: Qualifying) -> set[UUID | None]:
    return {line.person_id for line in entry.lines} or {None}


def _total(entries: Iterable[Qualifying]) -> int:
    return sum(entry.year_fen or 0 for entry in entries)
