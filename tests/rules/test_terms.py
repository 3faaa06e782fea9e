"""Who decides, by when, from which month, and what a grant opens elsewhere."""

from __future__ import annotations

from datetime import date

import pytest

from services.rulebook import (
    ParameterUnknown,
    Term,
    confirming_level,
    deciding_level,
    deciding_place,
    departments_of,
    first_month,
    may_sign_small_sum,
    payment_rule,
    small_sum_cap_fen,
    terms,
)
from services.rulebook.dated_parameters import get
from tests.rules.households import BAISHA, JIANGJIN, ON, YUBEI

MARCH_2026 = date(2026, 3, 2)


@pytest.mark.parametrize(("place", "level"), [(BAISHA, "town"), (JIANGJIN, "town"), (YUBEI, "county")])
def test_the_town_decides_where_the_county_delegated(place: str, level: str) -> None:
    assert deciding_level("dibao", place, ON) == level


def test_before_the_delegation_the_county_decides() -> None:
    assert deciding_level("dibao", BAISHA, date(2024, 12, 31)) == "county"


@pytest.mark.parametrize(("registered", "living", "decides"), [
    ("500116108005", "500112016", BAISHA), (BAISHA, YUBEI, BAISHA), (JIANGJIN, YUBEI, JIANGJIN),
    ("500112016001", BAISHA, YUBEI),
])
def test_dibao_is_decided_where_the_household_is_registered(
        registered: str, living: str, decides: str) -> None:
    assert decides == deciding_place(
        "dibao", registered_area=registered, living_area=living, happened_at=None, on=ON)


@pytest.mark.parametrize(("happened_at", "decides"), [
    (BAISHA, BAISHA), ("500116117", "500116117"), (None, YUBEI),
])
def test_an_emergency_is_decided_where_it_happened(happened_at: str | None, decides: str) -> None:
    assert deciding_place("temporary_assistance", registered_area="500112016", living_area="500112016",
                          happened_at=happened_at, on=MARCH_2026) == decides


def test_clocks_of_a_delegated_town() -> None:
    clocks = terms("dibao", BAISHA, ON)
    assert clocks.investigate_by == Term(days=3, unit="working_days")
    assert clocks.decide_by == Term(days=20, unit="working_days")
    assert clocks.promised_by == Term(days=15, unit="calendar_days")
    assert clocks.notice == Term(days=7, unit="calendar_days")
    assert clocks.refusal_told_by == Term(days=3, unit="working_days")
    assert clocks.reminder_fractions == (0.5, 0.8)
    assert clocks.clauses["promised_by"].verified is False


def test_clocks_where_the_county_decides_are_chongqings_own() -> None:
    clocks = terms("dibao", YUBEI, ON)
    assert (clocks.decide_by, clocks.promised_by) == (Term(days=30, unit="calendar_days"), None)


@pytest.mark.parametrize(("on", "small_sum_paid_by"), [
    (MARCH_2026, Term(days=3, unit="calendar_days")), (date(2026, 1, 28), None),
])
def test_temporary_assistance_always_has_a_clock(on: date, small_sum_paid_by: Term | None) -> None:
    clocks = terms("temporary_assistance", BAISHA, on)
    assert (clocks.decide_by, clocks.small_sum_paid_by) == (Term(days=20, unit="working_days"), small_sum_paid_by)
    assert clocks.clauses["decide_by"].verified is False


def test_a_clock_for_which_no_rule_is_known_is_none() -> None:
    assert terms("temporary_assistance", BAISHA, MARCH_2026).notice is None


@pytest.mark.parametrize(("near_relative", "level"), [(False, "town"), (True, "county")])
def test_an_officers_near_relative_is_confirmed_by_the_county(near_relative: bool, level: str) -> None:
    assert confirming_level("dibao", BAISHA, ON, near_relative_of_officer=near_relative) == level


@pytest.mark.parametrize(("office", "near_relative", "allowed"), [
    (BAISHA, False, True), (JIANGJIN, False, True), ("500112016", False, True), ("500116117", False, False),
    (BAISHA, True, False), (JIANGJIN, True, True), ("500112016", True, False), (YUBEI, True, False),
])
def test_who_may_sign_a_small_sum(office: str, near_relative: bool, allowed: bool) -> None:
    assert may_sign_small_sum(office, owner=BAISHA, living_area="500112016",
                              near_relative_of_officer=near_relative) is allowed


def test_chongqing_pays_from_the_month_of_decision_and_the_nation_from_the_next() -> None:
    rule = payment_rule("dibao", BAISHA, ON)
    assert (rule.first_month, rule.pay_day) == ("decision_month", 10)
    assert first_month("dibao", BAISHA, date(2025, 12, 31)) == date(2025, 12, 1)
    assert get("dibao.payment.first_month", "cn", ON).value == "next_month"


@pytest.mark.parametrize(("decided_on", "month"), [
    (date(2025, 12, 31), date(2026, 1, 1)), (date(2025, 1, 31), date(2025, 2, 1)),
])
def test_next_month_passes_the_turn_of_the_year(decided_on: date, month: date) -> None:
    assert first_month("dibao", "cn", decided_on) == month


def test_what_is_paid_once_has_no_payment_rule() -> None:
    with pytest.raises(ParameterUnknown, match="temporary_assistance"):
        payment_rule("temporary_assistance", BAISHA, MARCH_2026)


@pytest.mark.parametrize(("standard", "on", "cap_fen"), [
    ("rural", MARCH_2026, 63000), ("urban", MARCH_2026, 77000), ("rural", date(2026, 1, 29), 63000),
    ("rural", date(2026, 1, 28), None), ("urban", date(2025, 12, 31), None),
])
def test_a_small_sum_is_at_most_a_month_of_dibao_since_the_national_opinion(
        standard: str, on: date, cap_fen: int | None) -> None:
    cap = small_sum_cap_fen(BAISHA, standard, on)
    assert (None if cap is None else cap.value) == cap_fen


def test_a_small_sum_is_unknown_where_the_standard_is() -> None:
    assert small_sum_cap_fen("cn", "rural", MARCH_2026) is None


def test_a_grant_of_dibao_opens_the_electricity_waiver_unasked() -> None:
    [item] = departments_of("dibao", BAISHA, ON)
    assert (item.code, item.department, item.joins, item.result_type) == (
        "electricity_waiver", "electricity", "unasked", "money")
    assert (item.amount_fen_month, item.list_by_day, item.paid_by_day, item.bank_by_day) == (520, 10, 20, 28)
    assert item.answer_by == Term(days=10, unit="calendar_days")


@pytest.mark.parametrize(("benefit", "on"), [
    ("dibao", date(2020, 8, 31)), ("temporary_assistance", MARCH_2026),
])
def test_no_waiver_before_its_rule_or_for_another_benefit(benefit: str, on: date) -> None:
    assert departments_of(benefit, BAISHA, on) == []


def test_the_waiver_is_its_kilowatt_hours_at_its_price() -> None:
    kwh, price_fen, amount_fen = (get(f"electricity_waiver.{name}", BAISHA, ON).whole_number
                                  for name in ("kwh_month", "price_fen_kwh", "amount_fen_month"))
    assert kwh * price_fen == amount_fen
