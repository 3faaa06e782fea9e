"""Unknown evidence neither grants nor refuses, and is asked of whoever can tell it."""

from __future__ import annotations

from datetime import date

import pytest

from contracts.benefits import Relation, Source
from contracts.facts import FACT_WORDS, FactName, FactValue, Origin
from services.rulebook import assess, required_evidence
from services.rulebook.evidence import fact_rules, fits
from tests.rules.households import BAISHA, HEALTHY_ADULT, HOUSEHOLD, ON, a_fact, a_member, a_request


@pytest.mark.parametrize("name", HEALTHY_ADULT)
def test_an_unknown_fact_about_a_person_neither_grants_nor_refuses(name: str) -> None:
    member = a_member(without=(name,))
    [answer] = assess([a_request(member)])
    assert (answer.outcome, answer.amount_fen, answer.lines) == ("evidence_missing", None, [])
    assert [(missing.person_id, missing.name) for missing in answer.missing] == [(member.person_id, name)]


@pytest.mark.parametrize(("name", "outcome"), [
    *((name, "refuse") for name in HEALTHY_ADULT if name not in ("wage_fen_month", "born_on", "alive")),
    ("wage_fen_month", "evidence_missing"),
    ("born_on", "evidence_missing"), ("alive", "evidence_missing"),  # between no bounds
])
def test_what_is_unknown_does_not_hold_up_a_refusal_that_it_cannot_change(name: str, outcome: str) -> None:
    [answer] = assess([a_request(a_member(wage_fen_month=900000, without=(name,)))])
    assert answer.outcome == outcome
    assert ("decided_early" in [reason.code for reason in answer.reasons]) == (outcome == "refuse")


@pytest.mark.parametrize("name", HOUSEHOLD)
def test_an_unknown_fact_about_the_household_neither_grants_nor_refuses(name: str) -> None:
    [answer] = assess([a_request(without=(name,))])
    assert answer.outcome == "evidence_missing"
    assert [(missing.person_id, missing.name) for missing in answer.missing] == [(None, name)]


@pytest.mark.parametrize(("origin", "source", "outcome"), [
    (Origin.DOCUMENT, "渝府办发〔2022〕128号", "grant"), (Origin.VISIT, "入户调查表", "grant"),
    (Origin.DOCUMENT, None, "evidence_missing"), (Origin.VISIT, "", "evidence_missing"),
    (Origin.DECLARED, "申请表", "evidence_missing"), (Origin.SHARED, "bank", "evidence_missing"),
])
def test_assets_are_within_the_limit_only_by_an_officers_finding_that_cites_a_document(
        origin: Origin, source: str | None, outcome: str) -> None:
    finding = a_fact("assets_within_local_limit", True, origin=origin, source=source)
    [answer] = assess([a_request(without=("assets_within_local_limit",), extra=(finding,))])
    assert answer.outcome == outcome
    assert [missing.from_whom for missing in answer.missing] == ([] if outcome == "grant" else ["officer"])


@pytest.mark.parametrize(("name", "value", "outcome"), [
    ("serious_illness", True, "evidence_missing"), ("serious_illness", False, "grant"),
    ("in_full_time_education", True, "grant"),
    ("disability_grade", 1, "evidence_missing"), ("disability_grade", 0, "grant"),
    ("pension_fen_month", 0, "evidence_missing"), ("bank_balance_fen", 0, "evidence_missing"),
    ("alive", True, "evidence_missing"),
    ("wage_fen_month", 1000, "grant"), ("transfer_fen_month", 0, "grant"),
])
def test_what_is_only_declared_counts_where_it_claims_nothing_or_no_source_has_it(
        name: str, value: FactValue, outcome: str) -> None:
    declared = a_fact(name, value, origin=Origin.DECLARED, source=None)
    [answer] = assess([a_request(a_member(without=(name,), extra=(declared,)))])
    assert answer.outcome == outcome


@pytest.mark.parametrize(("name", "value"), [
    ("wage_fen_month", -1), ("wage_fen_month", True), ("wage_fen_month", "0"), ("vehicles_count", -1),
    ("disability_grade", 5), ("disability_grade", -1), ("serious_illness", 1),
    ("born_on", date(2025, 1, 7)), ("born_on", "unknown"),
])
def test_a_value_that_cannot_be_is_no_evidence(name: str, value: FactValue) -> None:
    [answer] = assess([a_request(a_member(without=(name,), extra=(a_fact(name, value),)))])
    assert [missing.name for missing in answer.missing] == [name]


def test_an_unknown_standard_is_no_standard() -> None:
    [answer] = assess([a_request(standard="suburban")])
    assert [missing.name for missing in answer.missing] == ["standard"]


def test_what_a_source_says_stands_against_what_was_declared() -> None:
    declared = a_fact("wage_fen_month", 0, origin=Origin.DECLARED, as_of=date(2025, 1, 5))
    shared = a_fact("wage_fen_month", 61000, origin=Origin.SHARED, as_of=date(2024, 12, 1))
    member = a_member(without=("wage_fen_month",), extra=(declared, shared))
    assert assess([a_request(member)])[0].outcome == "refuse"


def test_a_childs_own_means_are_not_asked_but_count_where_known() -> None:
    child = a_member("child", relation=Relation.CHILD)
    earning = a_member("child", relation=Relation.CHILD, transfer_fen_month=20000)
    without, with_income = assess([a_request(a_member(), child), a_request(a_member(), earning)])
    assert (without.amount_fen, with_income.amount_fen) == (132000, 112000)


def test_a_grown_child_is_asked_as_an_adult() -> None:
    grown = a_member("child", relation=Relation.CHILD, born_on=date(2007, 1, 6))
    not_yet = a_member("child", relation=Relation.CHILD, born_on=date(2007, 1, 7))
    adult, minor = assess([a_request(a_member(), grown), a_request(a_member(), not_yet)])
    assert (adult.outcome, minor.outcome) == ("evidence_missing", "grant")


def test_rules_that_are_not_known_for_the_day_neither_grant_nor_refuse() -> None:
    [answer] = assess([a_request(on=date(2017, 12, 31))])
    assert (answer.outcome, answer.reasons[0].code) == ("evidence_missing", "rule_unknown")
    assert "parameter:dibao.top_up.disabled" in [missing.name for missing in answer.missing]


def test_required_evidence_names_sources_visit_and_findings() -> None:
    required = required_evidence("dibao", BAISHA, ON)
    assert required.visit
    assert set(required.sources) == set(Source)
    assert set(required.findings) == {
        FactName.ASSETS_WITHIN_LOCAL_LIMIT, FactName.SERIOUS_ILLNESS}
    assert FactName.BANK_BALANCE in required.person_facts_adult
    assert FactName.BANK_BALANCE not in required.person_facts_child


def test_an_emergency_needs_no_evidence_before_it_is_seen_by_an_officer() -> None:
    required = required_evidence("temporary_assistance", BAISHA, date(2026, 3, 2))
    assert (required.visit, required.sources, required.person_facts_adult) == (False, [], [])


def test_every_fact_has_a_rule_of_how_it_becomes_known() -> None:
    assert set(fact_rules()) == set(FactName)
    assert {name for name, rule in fact_rules().items() if rule.type == "word"} == set(FACT_WORDS)


def test_a_bounded_fact_has_both_bounds_and_both_can_be_values_of_it() -> None:
    for name, rule in fact_rules().items():
        assert (rule.best is None) == (rule.worst is None), name
        assert rule.best is None or (fits(name, rule.best, ON) and fits(name, rule.worst, ON)), name
