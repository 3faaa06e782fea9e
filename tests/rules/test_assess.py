"""What `assess` promises: grants, refusals with reasons, and batches that equal single answers."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from contracts.benefits import Benefit, Relation
from contracts.events.decision import Period
from services.rulebook import Assessment, AssessmentRequest, UnknownPlace, assess
from tests.rules.households import ON, YUBEI, a_member, a_request

ROOT = Path(__file__).parents[2]


def one(request: AssessmentRequest) -> Assessment:
    [answer] = assess([request])
    return answer


def test_seriously_ill_person_without_income_is_paid_standard_and_top_up_as_separate_lines() -> None:
    member = a_member(serious_illness=True)
    answer = one(a_request(member))
    assert (answer.outcome, answer.amount_fen, answer.period) == ("grant", 67000, Period.MONTHLY)
    assert [(line.code, line.amount_fen, line.person_id) for line in answer.lines] == [
        ("dibao_difference", 61000, None), ("top_up_grave_or_elderly", 6000, member.person_id)]


@pytest.mark.parametrize(("wage_fen_month", "outcome", "amount_fen"), [
    (60998, "grant", 2), (60999, "grant", 1), (61000, "refuse", None), (61001, "refuse", None),
])
def test_income_has_to_be_below_the_standard(
        wage_fen_month: int, outcome: str, amount_fen: int | None) -> None:
    answer = one(a_request(a_member(wage_fen_month=wage_fen_month)))
    assert (answer.outcome, answer.amount_fen) == (outcome, amount_fen)


@pytest.mark.parametrize(("on", "standard", "amount_fen"), [
    (date(2018, 1, 1), "urban", 54600), (date(2018, 1, 1), "rural", 41000),
    (date(2019, 8, 31), "urban", 54600), (date(2019, 9, 1), "urban", 58000),
    (date(2019, 8, 31), "rural", 41000), (date(2019, 9, 1), "rural", 44000),
    (date(2020, 8, 31), "urban", 58000), (date(2020, 9, 1), "urban", 62000),
    (date(2020, 8, 31), "rural", 44000), (date(2020, 9, 1), "rural", 49600),
    (date(2021, 8, 31), "urban", 62000), (date(2021, 9, 1), "urban", 63600),
    (date(2021, 8, 31), "rural", 49600), (date(2021, 9, 1), "rural", 51500),
    (date(2022, 8, 31), "urban", 63600), (date(2022, 9, 1), "urban", 71700),
    (date(2022, 8, 31), "rural", 51500), (date(2022, 9, 1), "rural", 58100),
    (date(2023, 8, 31), "urban", 71700), (date(2023, 9, 1), "urban", 73500),
    (date(2023, 8, 31), "rural", 58100), (date(2023, 9, 1), "rural", 60000),
    (date(2024, 8, 31), "urban", 73500), (date(2024, 9, 1), "urban", 75000),
    (date(2024, 8, 31), "rural", 60000), (date(2024, 9, 1), "rural", 61000),
    (date(2025, 6, 30), "urban", 75000), (date(2025, 7, 1), "urban", 77000),
    (date(2025, 6, 30), "rural", 61000), (date(2025, 7, 1), "rural", 63000),
    (date(2026, 3, 2), "urban", 77000), (date(2026, 3, 2), "rural", 63000),
])
def test_the_standard_of_the_day_is_paid(on: date, standard: str, amount_fen: int) -> None:
    assert one(a_request(on=on, standard=standard)).amount_fen == amount_fen


def test_refusal_names_figures_clause_and_document() -> None:
    answer = one(a_request(a_member(wage_fen_month=150000), a_member("spouse", relation=Relation.SPOUSE)))
    assert (answer.outcome, answer.lines, answer.first_month) == ("refuse", [], None)
    [reason] = answer.reasons
    assert reason.code == "income_at_or_above_standard"
    assert all(figure in reason.zh for figure in ("2人", "1500元", "农村", "610元", "1220元"))
    assert "第九条" in reason.clause and "重庆日报 2024-09-24" in reason.clause


def test_sums_are_exact_to_the_fen_where_single_precision_would_not_be() -> None:
    answer = one(a_request(a_member(wage_fen_month=123_456_789_01)))
    assert "123456789.01元" in answer.reasons[0].zh


def test_both_grounds_of_refusal_are_told() -> None:
    answer = one(a_request(a_member(wage_fen_month=90000), assets_within_local_limit=False))
    assert [reason.code for reason in answer.reasons] == ["income_at_or_above_standard", "assets_above_limit"]


def test_the_dead_neither_count_nor_earn_nor_must_be_known() -> None:
    widow = a_member("widow")
    late = a_member("late", relation=Relation.SPOUSE, alive=False, wage_fen_month=500000,
                    without=("bank_balance_fen",))
    assert one(a_request(widow, late)).amount_fen == 61000


def test_a_household_whose_members_are_all_dead_is_refused() -> None:
    answer = one(a_request(a_member(alive=False)))
    assert (answer.outcome, answer.reasons[0].code) == ("refuse", "no_living_member")


def test_parameters_used_carry_value_unit_day_and_reference() -> None:
    answer = one(a_request(a_member(serious_illness=True)))
    assert [(used.path, used.value, used.unit, used.from_date) for used in answer.parameters] == [
        ("dibao.income_comparison", "below", "comparison", date(2014, 5, 1)),
        ("dibao.method.rural", "difference", "payment_method", date(2016, 5, 1)),
        ("dibao.standard.rural", 61000, "fen_month", date(2024, 9, 1)),
        ("dibao.top_up.elderly_age_years", 70, "years", date(2018, 1, 1)),
        ("dibao.top_up.grave_or_elderly", 6000, "fen_month", date(2018, 1, 1)),
        ("person.grave_disability.grade_max", 2, "grade", date(2018, 1, 1))]
    assert all(used.reference for used in answer.parameters)


@pytest.mark.parametrize(("on", "marked"), [(date(2025, 6, 30), False), (date(2023, 9, 1), True)])
def test_a_reason_says_where_its_figure_was_not_verified(on: date, marked: bool) -> None:
    [reason] = [reason for reason in one(a_request(on=on)).reasons if reason.code == "income_below_standard"]
    assert reason.clause.endswith("(未经核实)") is marked


def test_trace_leads_from_the_amount_to_inputs_and_parameters() -> None:
    trace = one(a_request(a_member(wage_fen_month=20000))).trace
    assert trace["household"]["dibao_fen_month"] == 41000
    reached, frontier = set[str](), {"dibao_fen_month"}
    while frontier:
        reached |= frontier
        frontier = {name for known in frontier for name in trace["depends_on"].get(known, [])} - reached
    assert {"wage_fen_month", "dibao.standard.rural", "assets_within_local_limit"} <= reached


def test_first_month_is_the_month_of_decision_in_chongqing() -> None:
    assert one(a_request()).first_month == date(2025, 1, 1)


def test_a_batch_answers_as_single_requests_do_and_in_their_order() -> None:
    requests = [
        a_request(a_member(wage_fen_month=wage, born_on=born), a_member("child", relation=Relation.CHILD),
                  key=f"{wage} {born} {place} {on} {missing}", place=place, on=on, without=missing)
        for wage in (0, 61000, 200000)
        for born in (date(1950, 1, 1), date(1990, 1, 1))
        for place in ("500116108", YUBEI)
        for on in (date(2024, 8, 31), ON, date(2025, 7, 1))
        for missing in ((), ("assets_within_local_limit",))
    ]
    requests.append(a_request(key="by officer", benefit=Benefit.TEMPORARY_ASSISTANCE))
    assert assess(requests) == [one(request) for request in requests]
    assert {answer.outcome for answer in assess(requests)} == {"grant", "refuse", "evidence_missing"}


def test_temporary_assistance_waits_on_the_officer_who_says_what_happened_and_sets_the_sum() -> None:
    answer = one(a_request(benefit=Benefit.TEMPORARY_ASSISTANCE))
    assert answer.outcome == "evidence_missing"
    assert [(missing.name, missing.from_whom) for missing in answer.missing] == [
        ("emergency_cause", "officer"), ("amount_fen", "officer")]


def test_where_only_the_sum_is_wanted_the_reason_says_so() -> None:
    answer = one(a_request(benefit=Benefit.TEMPORARY_ASSISTANCE, emergency_cause="unstated"))
    assert [missing.name for missing in answer.missing] == ["amount_fen"]
    assert [reason.code for reason in answer.reasons] == ["amount_decided_by_officer"]


def test_a_benefit_of_another_department_follows_from_what_the_household_is_recognised_as() -> None:
    answer = one(a_request(benefit=Benefit.ELECTRICITY_WAIVER, recognised_as="dibao"))
    assert (answer.outcome, answer.amount_fen, answer.first_month) == ("grant", 520, None)
    assert one(a_request(benefit=Benefit.ELECTRICITY_WAIVER, recognised_as="none")).outcome == "refuse"
    assert one(a_request(benefit=Benefit.ELECTRICITY_WAIVER)).outcome == "evidence_missing"


def test_an_unknown_area_is_an_error_that_names_it() -> None:
    with pytest.raises(UnknownPlace, match="110101"):
        one(a_request(place="110101"))


def test_nothing_to_assess_is_answered_by_nothing() -> None:
    assert assess([]) == []


def test_a_day_before_the_first_figure_is_answered_by_which_figure_is_not_known() -> None:
    answer = one(a_request(on=date(1990, 1, 1)))
    assert (answer.outcome, answer.reasons[0].code) == ("evidence_missing", "rule_unknown")
    [missing] = answer.missing
    assert missing.name.startswith("parameter:")


SAME_BYTES = """
from tests.rules.households import a_member, a_request
from services.rulebook import assess
requests = [a_request(a_member(serious_illness=True, wage_fen_month=wage), key=str(wage)) for wage in (0, 20000, 90000)]
print([answer.model_dump_json() for answer in assess(requests)])
"""


def test_the_same_question_has_the_same_bytes_in_every_process() -> None:
    told = {subprocess.run([sys.executable, "-c", SAME_BYTES], cwd=ROOT, check=True, capture_output=True, text=True,
                           env={"PATH": os.environ["PATH"], "PYTHONHASHSEED": seed, "PYTHONUTF8": "1"}).stdout
            for seed in ("1", "2", "3")}
    assert len(told) == 1
