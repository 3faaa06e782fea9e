"""A small sum at once (小额快救): its cap by place and day, and where the cap comes from."""

from __future__ import annotations

from datetime import date

import pytest

from services.rulebook import UnknownPlace, small_sum_cap_fen, small_sum_level
from services.rulebook.dated_parameters import find
from services.rulebook.places import places
from tests.rules.households import BAISHA

HEPING, GONGHE, JINTAI, YANTA, LHASA = "120101", "632521", "610303", "610113", "5401"
DAY_BEFORE, FIRST_DAY, DAY_AFTER = date(2026, 1, 28), date(2026, 1, 29), date(2026, 1, 30)


@pytest.mark.parametrize(("place", "standard", "on", "cap_fen"), [
    (BAISHA, "rural", DAY_BEFORE, None), (BAISHA, "rural", FIRST_DAY, 63000), (BAISHA, "rural", DAY_AFTER, 63000),
    (BAISHA, "urban", DAY_BEFORE, None), (BAISHA, "urban", FIRST_DAY, 77000), (BAISHA, "urban", DAY_AFTER, 77000),
    (BAISHA, "urban", date(2026, 6, 30), 77000), (BAISHA, "urban", date(2026, 7, 1), 77000),  # carried on, not read
    (HEPING, "urban", DAY_BEFORE, None), (HEPING, "urban", FIRST_DAY, 104500), (HEPING, "rural", DAY_AFTER, 104500),
    (BAISHA, "urban", date(2025, 7, 1), None),  # a standard alone makes no cap
])
def test_the_cap_is_a_month_of_the_standard_from_the_day_of_the_opinion(
        place: str, standard: str, on: date, cap_fen: int | None) -> None:
    cap = small_sum_cap_fen(place, standard, on)
    assert (None if cap is None else cap.value) == cap_fen


@pytest.mark.parametrize("place", [GONGHE, JINTAI, YANTA, LHASA, "cn"])
@pytest.mark.parametrize("standard", ["urban", "rural"])
def test_where_the_standard_of_the_day_was_not_found_there_is_no_cap(place: str, standard: str) -> None:
    assert small_sum_cap_fen(place, standard, FIRST_DAY) is None


@pytest.mark.parametrize("standard", ["urban", "rural"])
def test_in_every_place_the_cap_is_never_above_the_published_standard(standard: str) -> None:
    for place in places():
        cap = small_sum_cap_fen(place, standard, FIRST_DAY)
        month = find(f"dibao.standard.{standard}", place, FIRST_DAY)
        assert (cap is None) == (month is None), place
        assert cap is None or month is None or cap.whole_number == month.whole_number, place


def test_the_cap_names_both_rules_and_is_verified_only_where_both_are() -> None:
    first, carried_on = (small_sum_cap_fen(BAISHA, "rural", on) for on in (FIRST_DAY, date(2026, 7, 1)))
    assert first is not None and carried_on is not None
    assert "意见 2026-01-29" in first.reference and "渝民规〔2025〕6号" in first.reference
    assert (first.verified, carried_on.verified) == (True, False)
    assert (first.from_date, first.unit, first.place) == (FIRST_DAY, "fen", "50")


@pytest.mark.parametrize(("near_relative", "level"), [(False, "town"), (True, "county")])
def test_an_officers_near_relative_is_for_the_county(near_relative: bool, level: str) -> None:
    assert small_sum_level(near_relative_of_officer=near_relative) == level


def test_an_area_that_is_not_known_is_an_error() -> None:
    with pytest.raises(UnknownPlace):
        small_sum_cap_fen("999999", "rural", FIRST_DAY)
