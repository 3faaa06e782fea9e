"""Shows the rulebook to the people who keep it: what holds in a place on a day, and what changes between two days."""

from __future__ import annotations

from datetime import date, timedelta

from pydantic import BaseModel, ConfigDict, Field

from services.rulebook.dated_parameters import DatedParameter, ParameterUsed, own_parameters, parameters_of
from services.rulebook.not_found import NotFound, not_found
from services.rulebook.places import lineage, places, rule_place

ONE_DAY = timedelta(days=1)


class InForce(BaseModel):
    """A parameter as it holds in a place on a day."""

    model_config = ConfigDict(frozen=True)

    used: ParameterUsed
    description: str
    last_checked_on: date | None
    inherited: bool = Field(description="Whether it is the rule of a wider area.")


class Change(BaseModel):
    """A parameter that has another value from a day on; None before its first and after its last."""

    model_config = ConfigDict(frozen=True)

    path: str
    on: date
    place: str = Field(description="Code of the area for which it was asked.")
    before: ParameterUsed | None
    after: ParameterUsed | None


def in_force(code: str, on: date) -> list[InForce]:
    """Every parameter known in the area on the day, by path. Raises UnknownPlace."""
    return [
        InForce(used=used, description=parameter.description, last_checked_on=parameter.last_checked_on,
                inherited=used.place != code)
        for parameter in parameters_of(rule_place(code)).values() if (used := parameter.at(on)) is not None
    ]


def still_unknown(code: str, on: date) -> list[NotFound]:
    """What was looked for and not found, without what this area or a wider one has said. Raises UnknownPlace."""
    known = [row.used.path for row in in_force(code, on)]
    rows: list[NotFound] = []
    listed: set[str] = set()
    for row in not_found(code, on):
        here = tuple(path for path in row.paths if path not in listed and not _says(known, path))
        listed |= set(here)
        if here:
            rows.append(row.model_copy(update={"paths": here}))
    return rows


def _says(known: list[str], path: str) -> bool:
    return any(name == path or name.startswith(f"{path}.") for name in known)


def changes(first: date, last: date, code: str | None = None) -> list[Change]:
    """What changes after `first` and up to `last`: as it holds in one area, or in the rules of every area.

    In the order of the days. Whom a change concerns is not said here: it takes households to tell.
    Raises UnknownPlace; ValueError where the days are the wrong way round.
    """
    if first > last:
        raise ValueError(f"From {first} to {last}: the first day comes after the last. Exchange them.")
    if code is not None:
        asked = [(code, parameters_of(rule_place(code)))]
    else:
        asked = [(place.code, own_parameters(place.code, place.parameters))
                 for place in places().values() if place.parameters]
    found = [change for place, parameters in asked for path, parameter in parameters.items()
             for change in _changes_of(path, parameter, place) if first < change.on <= last]
    return sorted(found, key=lambda change: (change.on, len(lineage(change.place)), change.place, change.path))


def _changes_of(path: str, parameter: DatedParameter, place: str) -> list[Change]:
    steps = [Change(path=path, on=day, place=place, before=parameter.at(day - ONE_DAY), after=parameter.at(day))
             for day in parameter.from_dates]
    return [step for step in steps if _value(step.before) != _value(step.after)]


def _value(used: ParameterUsed | None) -> object:
    return None if used is None else (used.value, used.unit)
