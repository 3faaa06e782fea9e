"""Checks one parameter file: no figure without unit, day and reference."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import yaml

from services.rulebook.data_files import read_yaml
from services.rulebook.units import Unit

FILE_KEYS = {"description", "values", "metadata"}
METADATA_KEYS = {"unit", "last_checked_on", "reference"}
REFERENCE_KEYS = {"title", "verified", "note"}


def parameter_faults(file: Path, units: dict[str, Unit]) -> list[str]:
    """What is wrong with a parameter file, one sentence each that begins with the field."""
    try:
        content = read_yaml(file)
    except (yaml.YAMLError, ValueError) as error:
        return [f"cannot be read: {' '.join(str(error).split())}"]
    values, metadata = _mapping(content.get("values")), _mapping(content.get("metadata"))
    if not values:
        return ["values: none. Write `values:` and under it a day with its value."]
    if metadata is None:
        return ["metadata: none. Write unit, last_checked_on and reference under it."]
    return [
        *_unknown_keys("", content, FILE_KEYS), *_unknown_keys("metadata.", metadata, METADATA_KEYS),
        *([] if content.get("description") else ["description: none. Say in a line what it is, and of whom."]),
        *_unit_faults(metadata, units), *_date_faults(list(values), metadata),
        *_all_value_faults(values, metadata, units.get(str(metadata.get("unit")))),
    ]


def _mapping(node: Any) -> dict[Any, Any] | None:
    return node if isinstance(node, dict) else None  # pyright: ignore[reportUnknownVariableType]


def _unknown_keys(where: str, content: dict[Any, Any], known: set[str]) -> list[str]:
    return [f"{where}{key}: unknown field. Known are {', '.join(sorted(known))}."
            for key in content if key not in known]


def _unit_faults(metadata: dict[Any, Any], units: dict[str, Unit]) -> list[str]:
    unit = metadata.get("unit")
    if unit is None:
        return ["metadata.unit: none."]
    return [] if unit in units else [f"metadata.unit: unknown unit {unit!r}. Take one of units.yaml, or add it there."]


def _date_faults(days: list[Any], metadata: dict[Any, Any]) -> list[str]:
    faults: list[str] = []
    if type(metadata.get("last_checked_on")) is not date:
        faults.append("metadata.last_checked_on: no date (YYYY-MM-DD).")
    faults += [f"values.{day}: no date (YYYY-MM-DD)." for day in days if type(day) is not date]
    if not faults and days != sorted(days):
        faults.append("values: dates are not in order.")
    return faults


def _all_value_faults(values: dict[Any, Any], metadata: dict[Any, Any], unit: Unit | None) -> list[str]:
    references = _mapping(metadata.get("reference"))
    if references is None:
        return ["metadata.reference: none. Give each day its document."]
    faults = [f"metadata.reference.{day}: there is no value of that day." for day in references if day not in values]
    for day, row in values.items():
        faults += _value_faults(day, row, unit) + _reference_faults(day, references.get(day))
    return faults


def _value_faults(day: Any, node: Any, unit: Unit | None) -> list[str]:
    row = _mapping(node)
    if row is None or "value" not in row:
        return [f"values.{day}: no value. Write {{value: …}}, or {{value: null}} where it ends."]
    faults = _unknown_keys(f"values.{day}.", row, {"value"})
    value: Any = row["value"]
    fault = None if value is None or unit is None else unit.fault_of(value)
    return faults if fault is None else [*faults, f"values.{day}: {fault}."]


def _reference_faults(day: Any, node: Any) -> list[str]:
    where = f"metadata.reference.{day}"
    reference = _mapping(node)
    if reference is None or not reference.get("title"):
        return [f"{where}: no reference with a title. Name the document and its article."]
    faults = _unknown_keys(f"{where}.", reference, REFERENCE_KEYS)
    if not isinstance(reference.get("verified"), bool):
        faults.append(f"{where}: the reference does not say whether it is verified (true or false).")
    elif not reference["verified"] and not reference.get("note"):
        faults.append(f"{where}: not verified, and no note says why.")
    return faults
