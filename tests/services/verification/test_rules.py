"""The pure decisions of verification, row by row."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest

from contracts.benefits import Source
from contracts.envelope import new_id
from contracts.events.means_check import AnswerKind
from contracts.facts import Fact, FactName, Origin
from contracts.http.source import SourceAnswer
from services.verification import rules
from services.verification.source_data import READINGS, facts_of
from tests.services.verification.builders import MONDAY, MONDAY_NOON

HUSBAND, WIFE, CHILD = (UUID(int=number) for number in (1, 2, 3))
BOTH = ("bank", "vehicles")


def a_letter(person_id: UUID, *scope: str) -> rules.Letter:
    return rules.Letter(new_id(), person_id, frozenset(scope or BOTH))


@pytest.mark.parametrize(
    ("letters", "awaited"),
    [
        ([], [HUSBAND, WIFE]),
        ([a_letter(HUSBAND)], [WIFE]),
        ([a_letter(HUSBAND), a_letter(WIFE, "bank")], [WIFE]),
        ([a_letter(HUSBAND), a_letter(WIFE, "bank"), a_letter(WIFE, "vehicles")], []),
        ([a_letter(HUSBAND), a_letter(WIFE, "bank", "vehicles", "property")], []),
    ],
)
def test_everybody_is_awaited_until_their_letters_cover_every_source(letters, awaited):
    assert rules.awaiting(dict.fromkeys([HUSBAND, WIFE], BOTH), letters) == awaited


@pytest.mark.parametrize(("letters", "awaited"), [
    ([], [CHILD]), ([a_letter(CHILD, "bank")], [CHILD]), ([a_letter(CHILD, "vehicles")], []),
])
def test_a_child_is_awaited_for_where_it_must_be_asked_about_and_only_there(letters, awaited):
    to_cover = {HUSBAND: BOTH, CHILD: ["vehicles"]}
    assert rules.awaiting(to_cover, [a_letter(HUSBAND), *letters]) == awaited


def test_only_members_and_sources_that_a_letter_names_are_asked_about():
    letters = [a_letter(HUSBAND, "bank", "property"), a_letter(CHILD, "vehicles"), a_letter(new_id())]
    asked = [(one.person_id, one.source) for one in rules.questions([HUSBAND, WIFE, CHILD], letters, BOTH)]
    assert asked == [(HUSBAND, Source.BANK), (CHILD, Source.VEHICLES)]


@pytest.mark.parametrize(
    ("source", "known"),
    [
        (Source.SOCIAL_SECURITY, {"pension_fen_month": 0}),
        (Source.MEDICAL_INSURANCE, {"medical_paid_self_fen_12_months": 0}),
        (Source.BANK, {"bank_balance_fen": 0}),
        (Source.VEHICLES, {"vehicles_count": 0}),
        (Source.PROPERTY, {"homes_count": 0}),
        (Source.DISABILITY, {"disability_grade": 0}),
        (Source.CIVIL_REGISTRY, {}),
    ],
)
def test_no_record_means_nothing_only_where_a_record_would_have_to_be(source, known):
    answer = SourceAnswer(query_id=new_id(), kind=AnswerKind.NO_RECORD, as_of=MONDAY_NOON)
    assert {fact.name: fact.value for fact in facts_of(source, HUSBAND, answer, MONDAY)} == known


@pytest.mark.parametrize("kind", [AnswerKind.NO_ANSWER, AnswerKind.REFUSED])
@pytest.mark.parametrize("source", list(Source))
def test_no_answer_and_a_refusal_tell_nothing(source, kind):
    assert facts_of(source, HUSBAND, SourceAnswer(query_id=new_id(), kind=kind), MONDAY) == []


def test_every_source_has_a_reading():
    assert set(READINGS) == set(Source)


def test_the_legal_day_of_an_answer_is_counted_in_china():
    late_evening = MONDAY_NOON.replace(hour=17)  # 01:00 of Tuesday in China
    answer = SourceAnswer(query_id=new_id(), kind=AnswerKind.DATA, as_of=late_evening, data={"balance_fen": 1})
    assert facts_of(Source.BANK, HUSBAND, answer, MONDAY)[0].as_of == date(2025, 1, 7)


def test_of_two_findings_of_one_day_the_later_recorded_stands():
    first, second = (
        Fact(name=FactName.ASSETS_WITHIN_LOCAL_LIMIT, value=value, origin=Origin.VISIT, as_of=MONDAY)
        for value in (False, True)
    )
    assert rules.standing_facts([first, second]) == [second]
