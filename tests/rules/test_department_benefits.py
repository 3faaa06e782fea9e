"""Benefits of other departments: what follows a recognised status, and where the rule is not known."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from contracts.benefits import Benefit, Relation
from contracts.facts import FactName
from services.rulebook import Assessment, Member, assess, departments_of
from services.rulebook.benefit_rules import benefits
from services.rulebook.evidence import fact_rules
from tests.rules.households import BAISHA, a_member, a_request

HEPING, YANTA, JINTAI, GONGHE, CHENGGUAN = "120101", "610113", "610303", "632521", "540102"
ON = date(2025, 9, 1)
NO_FIGURES = [Benefit.WATER_WAIVER, Benefit.GAS_WAIVER, Benefit.TELEVISION_WAIVER, Benefit.HOUSING_AID,
              Benefit.EMPLOYMENT_AID]


def one(benefit: Benefit, *members: Member, place: str = BAISHA, **facts: Any) -> Assessment:
    [answer] = assess([a_request(*members, benefit=benefit, place=place, on=ON, **facts)])
    return answer


def missing_of(answer: Assessment) -> set[str]:
    return {fact.name for fact in answer.missing}


def a_patient(cost_fen: int) -> Member:
    return a_member(medical_paid_self_fen_12_months=cost_fen)


def a_pupil(**facts: Any) -> Member:
    return a_member("child", relation=Relation.CHILD, **facts)


@pytest.mark.parametrize("status", ["dibao", "tekun"])
def test_c4_the_power_bill_goes_with_the_status(status: str) -> None:
    answer = one(Benefit.ELECTRICITY_WAIVER, recognised_as=status)
    assert (answer.outcome, answer.amount_fen, answer.given_per) == ("grant", 520, "monthly")
    assert "5.20元" in answer.reasons[-1].zh


@pytest.mark.parametrize(("benefit", "place"), [
    *((benefit, place) for benefit in NO_FIGURES for place in (BAISHA, HEPING, YANTA, JINTAI, GONGHE, CHENGGUAN)),
    *((Benefit.ELECTRICITY_WAIVER, place) for place in (HEPING, YANTA, GONGHE, CHENGGUAN)),
    *((Benefit.MEDICAL_AID, place) for place in (YANTA, JINTAI, GONGHE, CHENGGUAN)),
    *((Benefit.EDUCATION_AID, place) for place in (HEPING, YANTA, JINTAI, GONGHE, CHENGGUAN)),
    *((Benefit.HEATING_AID, place) for place in (BAISHA, HEPING, CHENGGUAN)),
    *((Benefit.FESTIVAL_PAYMENT, place) for place in (BAISHA, HEPING, YANTA, JINTAI, GONGHE, CHENGGUAN)),
])
@pytest.mark.parametrize("status", ["none", "dibao"])
def test_a_rule_that_was_not_found_neither_grants_nor_refuses(benefit: Benefit, place: str, status: str) -> None:
    answer = one(benefit, place=place, recognised_as=status)
    assert (answer.outcome, answer.amount_fen) == ("evidence_missing", None)
    assert [reason.code for reason in answer.reasons] == ["rule_unknown"]
    assert {(fact.from_whom, fact.name.split(".")[0]) for fact in answer.missing} <= {
        ("rulebook", f"parameter:{root}") for root in (benefit.value, "heating")}


def test_b2_a_hundred_thousand_paid_oneself_in_xian_may_qualify() -> None:
    assert one(Benefit.MEDICAL_AID, a_patient(10_000_000), place=YANTA).reasons[0].code == "rule_unknown"


def test_l1_no_rule_of_lhasa_gives_two_children_eight_hundred_a_month() -> None:
    son = a_pupil(school_stage="senior", boards_at_school=True)
    answer = one(Benefit.EDUCATION_AID, a_member(), son, place=CHENGGUAN, recognised_as="dibao")
    assert (answer.outcome, answer.reasons[0].code) == ("evidence_missing", "rule_unknown")


def test_a_deductible_of_unknown_income_waits_on_the_office_and_only_where_it_is_counted_from_it() -> None:
    margin = one(Benefit.MEDICAL_AID, a_patient(10_000_000), place=HEPING, recognised_as="dibao_margin")
    assert (margin.outcome, "disposable_income_fen_year" in missing_of(margin)) == ("evidence_missing", True)
    told = one(Benefit.MEDICAL_AID, a_patient(10_000_000), place=HEPING, recognised_as="dibao_margin",
               disposable_income_fen_year=5_000_000)
    assert (told.outcome, told.amount_fen) == ("grant", 7_587_500)
    dibao = one(Benefit.MEDICAL_AID, a_patient(10_000_000), place=HEPING, recognised_as="dibao")
    assert (dibao.outcome, dibao.amount_fen) == ("grant", 8_000_000)


def test_a_group_whose_share_was_not_read_waits_on_medical_insurance() -> None:
    answer = one(Benefit.MEDICAL_AID, a_patient(10_000_000), recognised_as="poor_by_illness")
    assert (answer.outcome, missing_of(answer)) == ("evidence_missing", {"medical_aid_found_fen_year"})


def test_an_unknown_cost_neither_grants_nor_refuses_medical_aid() -> None:
    answer = one(Benefit.MEDICAL_AID, a_member(), recognised_as="dibao")
    assert (answer.outcome, "medical_paid_self_fen_12_months" in missing_of(answer)) == ("evidence_missing", True)


def test_without_the_status_medical_aid_is_refused_before_anything_is_known() -> None:
    answer = one(Benefit.MEDICAL_AID, place=HEPING, recognised_as="none")
    assert [reason.code for reason in answer.reasons] == ["medical_aid_not_recognised", "decided_early"]


@pytest.mark.parametrize(("facts", "outcome", "missing"), [
    ({"school_stage": "primary", "boards_at_school": False}, "grant", set[str]()),
    ({"school_stage": "primary"}, "evidence_missing", {"boards_at_school", "senior_grant_class"}),
    ({"school_stage": "preschool"}, "grant", set[str]()),
    ({"school_stage": "senior", "boards_at_school": False}, "evidence_missing", {"senior_grant_class"}),
    ({"school_stage": "senior", "senior_grant_class": "lower"}, "grant", set[str]()),
    ({"in_full_time_education": False}, "refuse", set[str]()),
])
def test_of_a_pupil_only_what_changes_the_sum_has_to_be_known(
        facts: dict[str, Any], outcome: str, missing: set[str]) -> None:
    parent = a_member(school_stage="none", boards_at_school=False)
    answer = one(Benefit.EDUCATION_AID, parent, a_pupil(**facts), recognised_as="dibao")
    assert (answer.outcome, missing_of(answer)) == (outcome, missing)


def test_a_pupils_living_and_meals_are_lines_of_their_own() -> None:
    child = a_pupil(school_stage="middle", boards_at_school=True)
    answer = one(Benefit.EDUCATION_AID, a_member(), child, recognised_as="dibao")
    assert [(line.code, line.amount_fen, line.person_id) for line in answer.lines] == [
        ("education_living", 75000, child.person_id), ("education_meals", 30000, child.person_id)]
    assert (answer.amount_fen, answer.given_per) == (105000, "term")


def test_whether_somebody_at_school_enters_a_university_has_to_be_known() -> None:
    answer = one(Benefit.UNIVERSITY_GRANT, a_member(), a_pupil(school_stage="senior"), recognised_as="dibao")
    assert (answer.outcome, missing_of(answer)) == ("evidence_missing", {"university_entrance"})


@pytest.mark.parametrize(("facts", "outcome", "missing"), [
    ({"cpi_rise_per_mille": 34, "food_rise_per_mille": 59}, "refuse", set[str]()),
    ({"cpi_rise_per_mille": 34}, "evidence_missing", {"food_rise_per_mille", "price_subsidy_fen_month"}),
    ({"cpi_rise_per_mille": 35, "food_rise_per_mille": 0}, "evidence_missing", {"price_subsidy_fen_month"}),
    ({"cpi_rise_per_mille": 35, "price_subsidy_fen_month": 3000}, "grant", set[str]()),
])
def test_the_published_price_subsidy_is_asked_for_once_prices_rose_enough(
        facts: dict[str, Any], outcome: str, missing: set[str]) -> None:
    answer = one(Benefit.PRICE_LINKAGE, recognised_as="dibao", **facts)
    assert (answer.outcome, missing_of(answer)) == (outcome, missing)


@pytest.mark.parametrize("name", ["medical_paid_self_fen_12_months", "medical_aid_found_fen_year",
                                  "disposable_income_fen_year", "price_subsidy_fen_month", "senior_grant_class"])
def test_the_facts_these_benefits_brought_lie_between_bounds(name: str) -> None:
    assert fact_rules()[FactName(name)].bounded


@pytest.mark.parametrize("place", [BAISHA, HEPING])
@pytest.mark.parametrize("status", ["tekun", "dibao", "dibao_margin", "returned_to_poverty", "poor_by_illness"])
def test_more_cost_never_brings_less_medical_aid_and_never_more_than_the_cost(place: str, status: str) -> None:
    costs = [0, 1, 2, 499_999, 500_001, 1_000_000, 3_333_335, 3_333_336, 8_000_000, 8_000_002, 164_000_000, 10**9]
    answers = assess([
        a_request(a_patient(cost), key=str(cost), benefit=Benefit.MEDICAL_AID, place=place, on=ON, recognised_as=status,
                  disposable_income_fen_year=5_000_000, medical_aid_found_fen_year=3_000_000) for cost in costs])
    sums = [answer.amount_fen or 0 for answer in answers]
    assert sums == sorted(sums)
    assert all(aid <= cost for aid, cost in zip(sums, costs, strict=True))


@pytest.mark.parametrize(("place", "opened"), [(BAISHA, ["electricity_waiver"]), (JINTAI, []), (HEPING, [])])
def test_only_the_power_company_of_chongqing_is_connected(place: str, opened: list[str]) -> None:
    for status in ("dibao", "tekun"):
        assert [item.code for item in departments_of(status, place, ON)] == opened


def test_every_benefit_that_joins_unasked_follows_a_status() -> None:
    assert [rule.code for rule in benefits().values() if rule.joins == "unasked" and not rule.follows] == []
