"""Checks the rulebook's own data: no figure without unit, day and reference, no place without a parent."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import yaml

from services.rulebook.data_files import RULEBOOK, read_yaml
from services.rulebook.dated_parameters import parameter_files
from services.rulebook.places import NATION


def check_rulebook(folder: Path = RULEBOOK) -> list[str]:
    """Every fault of places.yaml and parameters/, one sentence each; empty when all is well."""
    rows = read_yaml(folder / "places.yaml")
    faults = _place_faults(rows, folder / "parameters")
    for place_folder in sorted((folder / "parameters").iterdir()):
        for path, file in parameter_files(place_folder).items():
            faults += [f"{place_folder.name}/{path}: {fault}" for fault in parameter_faults(file)]
    return faults


def _place_faults(rows: dict[Any, Any], parameters: Path) -> list[str]:
    faults = [f"place {code}: no parent {row.get('parent')!r} in places.yaml."
              for code, row in rows.items() if code != NATION and row.get("parent") not in rows]
    named = [row["parameters"] for row in rows.values() if "parameters" in row]
    there = {folder.name for folder in parameters.iterdir()}
    twice = sorted({name for name in named if named.count(name) > 1})
    faults += [f"folder {name}: named by more than one place." for name in twice]
    faults += [f"folder {name}: no place names it." for name in sorted(there - set(named))]
    return faults + [f"folder {name}: named by a place, not there." for name in sorted(set(named) - there)]


def parameter_faults(file: Path) -> list[str]:
    """What is wrong with one parameter file."""
    try:
        content = read_yaml(file)
    except (yaml.YAMLError, ValueError) as error:
        return [f"cannot be read: {' '.join(str(error).split())}"]
    values: dict[Any, Any] = content.get("values") or {}
    metadata: dict[str, Any] = content.get("metadata") or {}
    faults = [] if content.get("description") else ["no description."]
    faults += [f"no {name}." for name in ("unit", "last_checked_on", "reference") if not metadata.get(name)]
    if not values:
        return [*faults, "no values."]
    days = list(values)
    if not all(type(day) is date for day in days):
        return [*faults, "a value's key is no date (YYYY-MM-DD)."]
    if days != sorted(days):
        faults.append("dates are not in order.")
    references: dict[Any, Any] = metadata.get("reference") or {}
    faults += [f"reference of {day}, which has no value." for day in references if day not in values]
    for day in days:
        faults += _value_faults(day, values[day], references.get(day) or {}, metadata.get("unit"))
    return faults


def _value_faults(day: date, row: dict[str, Any], reference: dict[str, Any], unit: Any) -> list[str]:
    if "value" not in row:
        return [f"{day}: no value."]
    value = row["value"]
    faults: list[str] = []
    if not reference.get("title"):
        faults.append(f"{day}: no reference with a title.")
    elif not isinstance(reference.get("verified"), bool):
        faults.append(f"{day}: the reference does not say whether it is verified.")
    if unit == "fen" and value is not None and type(value) is not int:
        faults.append(f"{day}: {value!r} is no whole number of fen.")
    return faults
