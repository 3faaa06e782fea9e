"""Checks the rulebook's own data: places, units, figures, and what is recorded as not found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from services.rulebook.check_parameter import parameter_faults
from services.rulebook.data_files import RULEBOOK, read_yaml
from services.rulebook.dated_parameters import DatedParameter, nearest_first, parameter_files, read_parameter
from services.rulebook.not_found import NotFound, read_not_found
from services.rulebook.places import NATION, Place, place_files
from services.rulebook.units import Unit, read_units

PATH_PARTS_MIN = 3
NAME = re.compile(r"[a-z][a-z0-9_]*")
# Hazard: OpenFisca hangs each parameter on its group as an attribute, and reads some keys of a group as its own.
RESERVED = {"brackets", "children", "description", "documentation", "file_path", "metadata", "name", "reference",
            "unit", "values"}


def check_rulebook(folder: Path = RULEBOOK) -> list[str]:
    """Every fault of a rulebook's data, one sentence each that names file and field; empty when all is well."""
    try:
        units = read_units(folder)
    except (yaml.YAMLError, ValueError, TypeError) as error:
        return [f"units.yaml: {_first(error)}"]
    listed, faults = _listed_places(folder)
    faults += _place_faults(listed) + _folder_faults(folder, listed)
    for file in sorted(path for path in (folder / "parameters").rglob("*") if path.is_file()):
        faults += [f"{file.relative_to(folder)}: {fault}" for fault in _file_faults(file, folder, units)]
    if faults:
        return faults  # what follows reads the values, and needs them whole
    own = {place.code: _own(place, folder) for place in listed.values() if place.parameters}
    return _measure_faults(own, listed, units) + _found_after_all(own, listed, folder)


def _listed_places(folder: Path) -> tuple[dict[str, Place], list[str]]:
    listed: dict[str, Place] = {}
    faults: list[str] = []
    for file in place_files(folder):
        name = str(file.relative_to(folder))
        for code, row in _rows(file, name, faults):
            if code in listed:
                faults.append(f"{name}: {code}: this area is listed twice.")
            try:
                listed[code] = Place(code=code, **row)
            except (ValidationError, TypeError) as error:
                faults.append(f"{name}: {code}: {_first(error)}")
    return listed, faults


def _rows(file: Path, name: str, faults: list[str]) -> Iterator[tuple[str, Any]]:
    try:
        yield from ((str(code), row) for code, row in read_yaml(file).items())
    except (yaml.YAMLError, ValueError) as error:
        faults.append(f"{name}: cannot be read: {_first(error)}")


def _first(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return " ".join(str(error).split())
    detail = error.errors()[0]
    return f"{'.'.join(str(part) for part in detail['loc'])}: {detail['msg']}."


def _place_faults(listed: dict[str, Place]) -> list[str]:
    faults = [f"places/: {place.code}: parent: {place.parent!r} is not listed." for place in listed.values()
              if place.code != NATION and place.parent not in listed]
    for place in listed.values():
        chain = [place.code]
        while (around := listed[chain[-1]].parent) in listed and around not in chain:
            chain.append(str(around))
        if around == place.code:
            faults.append(f"places/: {place.code}: parent: {' → '.join([*chain, place.code])} is a circle.")
    return faults


def _folder_faults(folder: Path, listed: dict[str, Place]) -> list[str]:
    named = [place.parameters for place in listed.values() if place.parameters]
    there = {entry.name for entry in (folder / "parameters").iterdir() if entry.is_dir()}
    return [
        *(f"parameters/{name}: named by more than one place."
          for name in sorted({name for name in named if named.count(name) > 1})),
        *(f"parameters/{name}: no place names this folder." for name in sorted(there - set(named))),
        *(f"parameters/{name}: named by a place, not there." for name in sorted(set(named) - there)),
    ]


def _file_faults(file: Path, folder: Path, units: dict[str, Unit]) -> list[str]:
    parts = file.relative_to(folder / "parameters").with_suffix("").parts
    if file.suffix != ".yaml" or len(parts) < PATH_PARTS_MIN:
        return ["unknown file: a parameter is parameters/<place>/<benefit>/…/<name>.yaml."]
    strange = [part for part in parts if not NAME.fullmatch(part)]
    if strange:
        return [f"unknown file: {strange[0]!r} is no name of small letters, digits and _."]
    if reserved := RESERVED.intersection(parts):
        return [f"unknown file: OpenFisca keeps the name {reserved.pop()!r} for itself. Choose another."]
    if file.with_suffix("").is_dir():
        return ["both a parameter and a folder of parameters. Rename one."]
    return parameter_faults(file, units)


def _own(place: Place, folder: Path) -> dict[str, DatedParameter]:
    files = parameter_files(folder / "parameters" / str(place.parameters))
    return {path: read_parameter(path, file, place.code) for path, file in files.items()}


def _measure_faults(own: dict[str, dict[str, DatedParameter]], listed: dict[str, Place],
                    units: dict[str, Unit]) -> list[str]:
    """One path means one thing: a place may not say a year's sum, or a group, where another says a month's sum.

    Hazard: a term may be in calendar days here and in working days there; both are counts, and rules read the unit.
    """
    first: dict[str, tuple[str, str]] = {}
    faults: list[str] = []
    for code, parameters in own.items():
        for path, parameter in parameters.items():
            unit = next((used.unit for used in parameter.values if used is not None), None)
            if unit is None:
                continue
            measure = unit if units[unit].kind == "money" else units[unit].kind
            other, place = first.setdefault(path, (measure, code))
            if measure != other:
                faults.append(f"parameters/{listed[code].parameters}/{path.replace('.', '/')}.yaml: metadata.unit: "
                              f"{unit}, but {other} in {listed[place].name}. Give it a path of its own.")
            faults += [f"parameters/{listed[code].parameters}/{path.replace('.', '/')}.yaml: path: {above} is a "
                       f"parameter of {listed[first[above][1]].name}, not a group." for above in _above(path)
                       if above in first]
    return faults


def _above(path: str) -> list[str]:
    parts = path.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts))]


def _found_after_all(own: dict[str, dict[str, DatedParameter]], listed: dict[str, Place], folder: Path) -> list[str]:
    """A value that is known cannot be recorded as not found in the same place for the same days."""
    try:
        rows = read_not_found(folder)
    except (yaml.YAMLError, ValueError, TypeError) as error:
        return [f"not_found.yaml: {_first(error)}"]
    faults: list[str] = []
    for row in rows:
        where = f"not_found.yaml: {row.place}"
        if row.place not in listed:
            faults.append(f"{where}: no such area is listed.")
            continue
        levels = [own[code] for code in _around(row.place, listed) if code in own]
        for path in sorted({path for level in levels for path in level if row.names(path)}):
            parameter = nearest_first([level[path] for level in levels if path in level])
            if (known := _known_in(parameter, row)) is not None:
                faults.append(f"{where}: paths: {path} is known from {known}. Take it out, or mend the value.")
    return faults


def _around(code: str, listed: dict[str, Place]) -> list[str]:
    parent = listed[code].parent
    return [code, *(_around(parent, listed) if parent is not None else [])]


def _known_in(parameter: DatedParameter, row: NotFound) -> Any:
    if (used := parameter.at(row.from_date)) is not None:
        return used.from_date
    days = (day for day, used in zip(parameter.from_dates, parameter.values, strict=True) if used is not None)
    return next((day for day in days if row.covers(day)), None)
