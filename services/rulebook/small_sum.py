"""A small sum at once (小额快救): its cap is a plain look-up; an emergency waits for no simulation."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from services.rulebook.dated_parameters import ParameterUsed, find
from services.rulebook.places import rule_place


def small_sum_cap_fen(place: str, standard: str, on: date) -> ParameterUsed | None:
    """The most that one small sum may be, in fen, or None where the place has no such rule on that day.

    National opinion of 2026-01: at most one month of the local dibao, `standard` being `urban` or `rural`.
    Raises UnknownPlace.
    """
    return _cap(rule_place(place), standard, on)


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
