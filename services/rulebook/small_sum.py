"""A small sum at once (小额快救): its cap is a plain look-up; an emergency waits for no simulation."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from services.rulebook.dated_parameters import ParameterUsed, find
from services.rulebook.models import DecidingLevel
from services.rulebook.places import COUNTY_DIGITS, rule_place


def small_sum_cap_fen(place: str, standard: str, on: date) -> ParameterUsed | None:
    """The most that one small sum may be, in fen, or None where the place has no such rule on that day.

    National opinion of 2026-01: at most one month of the local dibao, `standard` being `urban` or `rural`.
    Raises UnknownPlace.
    """
    return _cap(rule_place(place), standard, on)


def small_sum_level(*, near_relative_of_officer: bool) -> DecidingLevel:
    """Whose work a small sum is: the deciding office's own, or its county's for an officer's near relative."""
    return "county" if near_relative_of_officer else "town"


def may_sign_small_sum(office: str, *, owner: str, living_area: str, near_relative_of_officer: bool) -> bool:
    """Whether an officer of this office (an area code) may give a small sum by the registering signature.

    The deciding office, one above it, one within it (small sums are delegated downwards), or that of where the
    household lives. For an officer's near relative only the county that decides (近亲属备案, 民发〔2021〕57号).
    """
    if near_relative_of_officer:
        return office == owner[:COUNTY_DIGITS]
    return owner.startswith(office) or office.startswith(owner) or living_area.startswith(office)


@lru_cache(maxsize=10_000)
def _cap(place: str, standard: str, on: date) -> ParameterUsed | None:
    months = find("temporary_assistance.small_sum.months_of_dibao", place, on)
    month = find(f"dibao.standard.{standard}", place, on)
    if months is None or month is None:
        return None
    return ParameterUsed(
        path="temporary_assistance.small_sum.cap", value=months.whole_number * month.whole_number, unit="fen",
        from_date=max(months.from_date, month.from_date), reference=f"{months.reference};{month.reference}",
        verified=months.verified and month.verified, place=month.place,
    )
