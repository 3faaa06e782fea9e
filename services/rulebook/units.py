"""The units a figure may have (units.yaml), and how a figure is written with its unit."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from contracts.facts import FactName
from services.rulebook.data_files import RULEBOOK, read_yaml

FEN_PER_YUAN = 100
FACT_NAMES = "fact_names"
MONTH_DAY = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")


class Unit(BaseModel):
    """What a figure counts, and what it may be."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["money", "count", "truth", "word", "names", "month_day"]
    en: str = "{}"
    zh: str = "{}"
    one_of: tuple[str, ...] | None = None
    """The only words allowed, where the unit is of words."""

    def fault_of(self, value: Any) -> str | None:
        """Why a parameter cannot have this value, or None. Hazard: True is an int in Python."""
        match self.kind:
            case "money":
                return None if type(value) is int and value >= 0 else f"{value!r} is no whole number of fen"
            case "count":
                return None if type(value) is int and value >= 0 else f"{value!r} is no whole number"
            case "truth":
                return None if isinstance(value, bool) else f"{value!r} is neither true nor false"
            case "month_day":
                fits = isinstance(value, str) and MONTH_DAY.fullmatch(value)
                return None if fits else f"{value!r} is no month and day (MM-DD)"
            case "word":
                return self._strange([value])
            case "names":
                return self._strange(value) if isinstance(value, list) else f"{value!r} is no list of names"  # pyright: ignore[reportUnknownArgumentType]

    def _strange(self, words: list[Any]) -> str | None:
        strange = [word for word in words
                   if not isinstance(word, str) or (self.one_of is not None and word not in self.one_of)]
        return f"{strange[0]!r} is none of {', '.join(self.one_of or ())}" if strange else None


def read_units(folder: Path) -> dict[str, Unit]:
    """The units of a rulebook's folder. Facts are named as the contracts name them."""
    rows = {str(name): Unit.model_validate(row) for name, row in read_yaml(folder / "units.yaml").items()}
    facts = tuple(name.value for name in FactName)
    return rows | {FACT_NAMES: rows[FACT_NAMES].model_copy(update={"one_of": facts})}


@cache
def units() -> dict[str, Unit]:
    """Every unit by name."""
    return read_units(RULEBOOK)


def yuan(amount_fen: int) -> str:
    """A sum as people write it: 670, or 5.20."""
    whole, fen = divmod(amount_fen, FEN_PER_YUAN)
    return f"{whole}.{fen:02}" if fen else str(whole)


def written(value: bool | int | str | tuple[str, ...], unit: str) -> str:
    """A value with its unit in English, such as `750 yuan a month`."""
    known = units()[unit]
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    if isinstance(value, int):
        return known.en.format(yuan(value) if known.kind == "money" else value)
    return known.en.format(value)
