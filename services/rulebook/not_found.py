"""What was looked for and not found (not_found.yaml): it stays unset, and an officer's finding may stand instead."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from contracts.facts import FactName
from services.rulebook.data_files import RULEBOOK, read_yaml
from services.rulebook.places import lineage


class NotFound(BaseModel):
    """Parameters that a place is not known to have, for a time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    place: str = Field(description="Code of the area it was looked for.")
    paths: tuple[str, ...] = Field(min_length=1, description="A parameter, or a group of them: dibao.assets.")
    from_date: date = Field(alias="from")
    until: date | None = None
    asked_instead: FactName | None = Field(default=None, description="An officer's finding that the rule asks for.")
    last_checked_on: date
    note: str = ""

    def covers(self, on: date) -> bool:
        """Whether it is unknown on this day."""
        return self.from_date <= on and (self.until is None or on <= self.until)

    def names(self, path: str) -> bool:
        """Whether it is about this parameter."""
        return any(path == named or path.startswith(f"{named}.") for named in self.paths)


def read_not_found(rulebook: Path) -> list[NotFound]:
    """Every row of a rulebook's folder. Raises pydantic.ValidationError, which names the field."""
    return [NotFound.model_validate({"place": str(code), **row})
            for code, rows in read_yaml(rulebook / "not_found.yaml").items() for row in rows]


@cache
def _not_found() -> tuple[NotFound, ...]:
    return tuple(read_not_found(RULEBOOK))


def rows_around(code: str) -> tuple[NotFound, ...]:
    """What is recorded as unknown in the area at any time, its own rows before its parents'. Raises UnknownPlace."""
    return tuple(row for around in lineage(code) for row in _not_found() if row.place == around.code)


def not_found(code: str, on: date) -> list[NotFound]:
    """What is recorded as unknown in the area on the day, its own rows before its parents'. Raises UnknownPlace."""
    return [row for row in rows_around(code) if row.covers(on)]
