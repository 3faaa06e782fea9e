"""Areas and their parents: nation → province → city → county → town → village (GB/T 2260, GB/T 10114)."""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from services.rulebook.data_files import RULEBOOK, read_yaml

NATION = "cn"
TOWN_DIGITS = 9
VILLAGE_DIGITS = 12
COUNTY_DIGITS = 6

PlaceLevel = Literal["nation", "province", "city", "county", "town", "village"]


class UnknownPlace(ValueError):
    """No such area code in the rulebook."""

    def __init__(self, code: str) -> None:
        super().__init__(f"Area {code}: not in the rulebook. Check the code, or add it under places/.")
        self.code = code


class PlaceCycle(ValueError):
    """Areas that lie around each other: nothing could be inherited."""

    def __init__(self, codes: list[str]) -> None:
        super().__init__(f"places/: {' → '.join(codes)} is a circle of parents. Mend `parent` of one of them.")


class Place(BaseModel):
    """An area as the rulebook knows it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    name: str
    level: PlaceLevel
    parent: str | None
    parameters: str | None = None
    """Folder of the place's own rules, if it has any."""
    verified: bool
    """Whether the code was read at its source."""


def place_files(rulebook: Path = RULEBOOK) -> list[Path]:
    """The files that list areas, one a province."""
    return sorted((rulebook / "places").glob("*.yaml"))


@cache
def places() -> dict[str, Place]:
    """Every listed area by code; villages are not listed."""
    rows: dict[Any, Any] = {}
    for file in place_files():
        rows |= read_yaml(file)
    return {str(code): Place(code=str(code), **row) for code, row in rows.items()}


@lru_cache(maxsize=100_000)
def place(code: str) -> Place:
    """The area with this code. A village is a known town and any three digits. Raises UnknownPlace."""
    listed = places().get(code)
    if listed is not None:
        return listed
    town = places().get(code[:TOWN_DIGITS])
    is_village = len(code) == VILLAGE_DIGITS and code.isascii() and code.isdigit()
    if not is_village or town is None:
        raise UnknownPlace(code)
    return Place(code=code, name=town.name, level="village", parent=town.code, verified=False)


def known_area(code: str) -> bool:
    """Whether someone can live or be registered there: a known county, town or village."""
    try:
        return place(code).level in ("county", "town", "village")
    except UnknownPlace:
        return False


def parent(code: str) -> str | None:
    """Code of the area around this one; None for the nation. Raises UnknownPlace."""
    return place(code).parent


@lru_cache(maxsize=100_000)
def lineage(code: str) -> tuple[Place, ...]:
    """The area itself, then every area around it up to the nation. Raises UnknownPlace, PlaceCycle."""
    chain = [place(code)]
    while (around := chain[-1].parent) is not None:
        if around in {inner.code for inner in chain}:
            raise PlaceCycle([*(inner.code for inner in chain), around])
        chain.append(place(around))
    return tuple(chain)


def place_name(code: str) -> str:
    """Chinese name from the county down (江津区白沙镇); of wider areas their own. Raises UnknownPlace."""
    named = [around for around in reversed(lineage(code)) if around.level in ("county", "town")]
    return "".join(around.name for around in named) or place(code).name


def find_place(text: str) -> Place:
    """The area with this code or this Chinese name (江津区, 江津区白沙镇, 白沙镇).

    Raises UnknownPlace; ValueError where several areas are called so.
    """
    if text.isascii():
        return place(text)
    called = [listed for listed in places().values() if text in (listed.name, place_name(listed.code))]
    if not called:
        raise UnknownPlace(text)
    if len(called) > 1:
        several = ", ".join(f"{place_name(listed.code)} {listed.code}" for listed in called)
        raise ValueError(f"Area {text}: several are called so. Name one by its code: {several}.")
    return called[0]


@lru_cache(maxsize=100_000)
def rule_place(code: str) -> str:
    """Code of the nearest area with rules of its own: all areas that share it share every rule."""
    return next(around.code for around in lineage(code) if around.parameters)
