"""Figures and rules by place and date, each with its document; a place inherits from those around it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from services.rulebook.data_files import RULEBOOK, read_yaml
from services.rulebook.places import lineage, rule_place

ParameterValue = bool | int | str | tuple[str, ...]
PARAMETERS = RULEBOOK / "parameters"


class ParameterUnknown(LookupError):
    """The rule is not known for this place and day. It is never replaced by a default."""

    def __init__(self, path: str, code: str, on: date) -> None:
        super().__init__(f"Parameter {path}: not known for area {code} on {on}. Add it, with its reference.")
        self.path = path


class ParameterUsed(BaseModel):
    """A value of the law as it stood, and where it was read."""

    model_config = ConfigDict(frozen=True)

    path: str
    value: ParameterValue
    unit: str
    from_date: date
    reference: str = Field(description="Title of the document or page it was read in.")
    verified: bool = Field(description="Whether it was read at the source, not in a copy or from memory.")
    note: str | None = Field(default=None, description="What was not read, or how it was read.")
    place: str = Field(description="Code of the area whose rule it is.")

    @property
    def cited(self) -> str:
        """The document as people are told of it: what was not read at its source says so."""
        return self.reference if self.verified else f"{self.reference}(未经核实)"

    @property
    def whole_number(self) -> int:
        """The value as a number. Raises TypeError where it is none."""
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            raise TypeError(f"Parameter {self.path}: {self.value!r} is no whole number.")
        return self.value

    @property
    def names(self) -> tuple[str, ...]:
        """The value as a list of names. Raises TypeError where it is none."""
        if not isinstance(self.value, tuple):
            raise TypeError(f"Parameter {self.path}: {self.value!r} is no list of names.")
        return self.value


@dataclass(frozen=True)
class DatedParameter:
    """Values of one parameter in order of time; None ends a place's own rule: its parent's holds again."""

    from_dates: tuple[date, ...]
    values: tuple[ParameterUsed | None, ...]
    description: str = ""
    last_checked_on: date | None = None

    def at(self, on: date) -> ParameterUsed | None:
        """What holds on this day, or None where nothing is known."""
        index = bisect_right(self.from_dates, on)
        return self.values[index - 1] if index else None


def parameter_files(folder: Path) -> dict[str, Path]:
    """The parameter files of a place by dotted path, such as `dibao.standard.urban`."""
    return {
        ".".join(file.relative_to(folder).with_suffix("").parts): file
        for file in sorted(folder.rglob("*.yaml"))
    }


def read_parameter(path: str, file: Path, code: str) -> DatedParameter:
    """The parameter in a file that has no fault (check.py), as the place with this code says it."""
    content = read_yaml(file)
    metadata: dict[str, Any] = content["metadata"]
    steps: list[tuple[date, ParameterUsed | None]] = []
    for from_date, row in sorted(content["values"].items()):
        value = _hashable(row["value"])
        reference: dict[str, Any] = metadata["reference"][from_date]
        steps.append((from_date, None if value is None else ParameterUsed(
            path=path, value=value, unit=metadata["unit"], from_date=from_date, reference=reference["title"],
            verified=reference["verified"], note=reference.get("note"), place=code)))
    return DatedParameter(tuple(day for day, _ in steps), tuple(value for _, value in steps),
                          content["description"], metadata["last_checked_on"])


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value  # pyright: ignore[reportUnknownArgumentType,reportUnknownVariableType]


def nearest_first(own: Sequence[DatedParameter]) -> DatedParameter:
    """One parameter of several levels of government: on each day the nearest that says anything holds."""
    if len(own) == 1:
        return own[0]
    days = sorted({day for parameter in own for day in parameter.from_dates})
    values = tuple(
        next((value for parameter in own if (value := parameter.at(day)) is not None), None) for day in days
    )
    return DatedParameter(tuple(days), values, own[0].description, own[0].last_checked_on)


def _levels(code: str) -> list[tuple[str, Path]]:
    """Code and folder of every area with rules of its own, the nearest first."""
    return [(around.code, PARAMETERS / around.parameters) for around in lineage(code) if around.parameters]


@cache
def _own_parameter(path: str, code: str, folder: Path) -> DatedParameter | None:
    file = folder / Path(*path.split(".")).with_suffix(".yaml")
    return read_parameter(path, file, code) if file.exists() else None


@cache
def parameter_of(path: str, code: str) -> DatedParameter | None:
    """One parameter as it holds in the place, its own before its parents'. Give a `rule_place` code.

    Reads its own files only, at most one a level: a process that needs ten figures does not read hundreds.
    """
    levels = (_own_parameter(path, level, folder) for level, folder in _levels(code))
    own = [parameter for parameter in levels if parameter is not None]
    return nearest_first(own) if own else None


@cache
def own_parameters(code: str, folder: str) -> dict[str, DatedParameter]:
    """What the area itself says, without what it inherits."""
    return {path: read_parameter(path, file, code) for path, file in parameter_files(PARAMETERS / folder).items()}


@cache
def parameters_of(code: str) -> dict[str, DatedParameter]:
    """Every parameter that holds in the place. Give a `rule_place` code."""
    paths = {path for _, folder in _levels(code) for path in parameter_files(folder)}
    found = ((path, parameter_of(path, code)) for path in sorted(paths))
    return {path: parameter for path, parameter in found if parameter is not None}


def find(path: str, code: str, on: date) -> ParameterUsed | None:
    """The parameter as it holds in the area on the day; None where it is not known. Raises UnknownPlace."""
    parameter = parameter_of(path, rule_place(code))
    return None if parameter is None else parameter.at(on)


def get(path: str, code: str, on: date) -> ParameterUsed:
    """As `find`. Raises ParameterUnknown where nothing is known."""
    found = find(path, code, on)
    if found is None:
        raise ParameterUnknown(path, code, on)
    return found
