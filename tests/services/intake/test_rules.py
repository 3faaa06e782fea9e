"""The pure rules: identity numbers, ages, masked names."""

from __future__ import annotations

from datetime import date

import pytest

from services.intake import identity_number, rules
from tests.services.intake.forms import TODAY, an_identity_number


def test_a_number_issued_before_its_county_had_that_code_is_taken() -> None:
    # Jiangjin has had the code 500116 since 2006 only; the number carries the code of the year of issue.
    number = an_identity_number(area="500116", born=date(1961, 4, 2))
    parsed = identity_number.parse(number, today=TODAY)
    assert parsed is not None
    assert (parsed.number, parsed.born_on) == (number, date(1961, 4, 2))


def test_only_one_check_digit_is_right() -> None:
    stem = an_identity_number()[:-1]
    right = [digit for digit in "0123456789X" if identity_number.parse(stem + digit, today=TODAY)]
    assert len(right) == 1


@pytest.mark.parametrize(("sequence", "sex"), [("001", "male"), ("002", "female")])
def test_the_seventeenth_digit_tells_the_sex(sequence: str, sex: str) -> None:
    numbers = [f"50011619610402{sequence}{digit}" for digit in "0123456789X"]
    parsed = [found for number in numbers if (found := identity_number.parse(number, today=TODAY))]
    assert [found.sex for found in parsed] == [sex]


def test_a_small_x_is_the_same_number() -> None:
    number = next(found for found in (an_identity_number() for _ in range(1_000)) if found.endswith("X"))
    parsed = identity_number.parse(number.lower(), today=TODAY)
    assert parsed is not None and parsed.number == number


@pytest.mark.parametrize(("born", "valid"), [
    (date(2026, 3, 9), True), (date(2026, 3, 10), False), (date(1896, 3, 9), True), (date(1895, 12, 31), False),
], ids=["today", "tomorrow", "130 years", "131 years"])
def test_only_the_living_hold_a_number(born: date, valid: bool) -> None:
    assert (identity_number.parse(an_identity_number(born=born), today=TODAY) is not None) is valid


def test_a_number_never_shows_itself() -> None:
    number = an_identity_number()
    assert number not in repr(identity_number.parse(number, today=TODAY))


@pytest.mark.parametrize(("born", "adult"), [
    (date(2008, 3, 9), True), (date(2008, 3, 10), False), (date(2008, 2, 29), True), (date(1950, 1, 1), True),
])
def test_an_adult_has_completed_18_years(born: date, adult: bool) -> None:
    assert identity_number.is_adult(born, TODAY) is adult


@pytest.mark.parametrize(("name", "masked"), [
    ("雷某", "雷*"), ("雷试行", "雷**"), ("欧阳试", "欧阳*"), ("欧阳试行", "欧阳**"), ("雷", "雷*"),
    ("次仁卓玛", "次***"), ("买买提·阿不都", "买" + "*" * 6),
])
def test_a_masked_name_keeps_the_surname_only(name: str, masked: str) -> None:
    assert rules.masked_name(name) == masked
