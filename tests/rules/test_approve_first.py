"""What may be paid before it is looked into, by place and day, and what is owed afterwards."""

from __future__ import annotations

from datetime import date

import pytest

from contracts.benefits import Benefit
from services.rulebook import Term, UnknownPlace
from services.rulebook.approving_first import ApproveFirst, approve_first
from services.rulebook.dated_parameters import ParameterUsed, find
from tests.rules.households import BAISHA, JIANGJIN

GONGHE, HEPING, YANTA, LINZHOU = "632521", "120101", "610113", "540121"
EMERGENCY = Benefit.TEMPORARY_ASSISTANCE
A_DAY_NOBODY_ELSE_ASKS_OF = date(2030, 2, 3)  # answers are kept, this one is to be forgotten
BEFORE, AFTER = date(2026, 1, 28), date(2026, 1, 29)
THREE_DAYS, A_DAY = Term(days=3, unit="calendar_days"), Term(days=1, unit="calendar_days")
TEN_WORKING_DAYS = Term(days=10, unit="working_days")
RECORD = ("person", "cause", "sum")
PAPERS = ("application", "authorisation", "proof_of_cause")


def asked(place: str, on: date, *, benefit: str = EMERGENCY, standard: str = "rural") -> ApproveFirst:
    return approve_first(benefit, place, on, standard=standard)


@pytest.mark.parametrize("place", [BAISHA, GONGHE, HEPING, YANTA, LINZHOU, "cn"])
def test_dibao_is_never_approved_first(place: str) -> None:
    answer = asked(place, date(2026, 3, 2), benefit=Benefit.DIBAO)
    assert answer == ApproveFirst(allowed=False, clauses=answer.clauses)
    assert "第二十八条" in answer.clauses["allowed"].reference


def test_dibao_is_approved_first_where_a_place_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def with_a_rule_of_its_own(path: str, code: str, on: date) -> ParameterUsed | None:
        found = find(path, code, on)
        if path != "dibao.approve_first.allowed" or found is None:
            return found
        return found.model_copy(update={"value": True, "place": code})

    monkeypatch.setattr("services.rulebook.approving_first.find", with_a_rule_of_its_own)
    answer = asked(BAISHA, A_DAY_NOBODY_ELSE_ASKS_OF, benefit=Benefit.DIBAO)
    assert (answer.allowed, answer.cap_fen, answer.record, answer.papers) == (True, None, (), ())
    assert answer.clauses["allowed"].place == JIANGJIN


@pytest.mark.parametrize("benefit", [Benefit.TEKUN, Benefit.ELECTRICITY_WAIVER, Benefit.CHARITY_AID, "nothing_known"])
def test_what_no_rule_allows_is_not_approved_first(benefit: str) -> None:
    assert asked(BAISHA, AFTER, benefit=benefit) == ApproveFirst(allowed=False, clauses={})


@pytest.mark.parametrize(("on", "allowed"), [
    (date(2018, 1, 22), False), (date(2018, 1, 23), True), (date(2018, 1, 24), True),
])
def test_an_emergency_is_paid_first_since_the_rule_of_2018(on: date, allowed: bool) -> None:
    assert asked(BAISHA, on).allowed is allowed


@pytest.mark.parametrize(("place", "on", "expected"), [
    # Since 2026-01-29 the nation wants a record only; before, papers followed and no term was read.
    (BAISHA, BEFORE, ApproveFirst(allowed=True, papers=PAPERS, clauses={})),
    (BAISHA, AFTER, ApproveFirst(allowed=True, cap_fen=63000, record=RECORD, act_within=THREE_DAYS, clauses={})),
    (BAISHA, date(2026, 1, 30),
     ApproveFirst(allowed=True, cap_fen=63000, record=RECORD, act_within=THREE_DAYS, clauses={})),
    # Qinghai's own rule of 2025 stands beside the nation's: papers in ten working days, help in 24 hours. The standard
    # of 2026 was not found, and so there is no cap.
    (GONGHE, date(2024, 12, 31), ApproveFirst(allowed=True, papers=PAPERS, clauses={})),
    (GONGHE, date(2025, 1, 1), ApproveFirst(allowed=True, papers=PAPERS, papers_due=TEN_WORKING_DAYS, act_within=A_DAY,
                                            clauses={})),
    (GONGHE, AFTER, ApproveFirst(allowed=True, record=RECORD, papers=PAPERS, papers_due=TEN_WORKING_DAYS,
                                 act_within=A_DAY, clauses={})),
    # Tianjin's papers follow afterwards, in a time that was not read.
    (HEPING, date(2021, 8, 30), ApproveFirst(allowed=True, papers=PAPERS, clauses={})),
    (HEPING, AFTER, ApproveFirst(allowed=True, cap_fen=104500, record=RECORD, papers=PAPERS, act_within=THREE_DAYS,
                                 clauses={})),
    # The standards of Xi'an and Lhasa of 2026 were not found.
    (YANTA, AFTER, ApproveFirst(allowed=True, record=RECORD, act_within=THREE_DAYS, clauses={})),
    (LINZHOU, AFTER, ApproveFirst(allowed=True, record=RECORD, act_within=THREE_DAYS, clauses={})),
])
def test_what_is_given_first_and_owed_afterwards(place: str, on: date, expected: ApproveFirst) -> None:
    assert asked(place, on).model_copy(update={"clauses": {}}) == expected


@pytest.mark.parametrize(("standard", "cap_fen"), [("rural", 63000), ("urban", 77000)])
def test_the_cap_is_a_month_of_the_standard_that_applies(standard: str, cap_fen: int) -> None:
    assert asked(BAISHA, AFTER, standard=standard).cap_fen == cap_fen


@pytest.mark.parametrize(("place", "owed_by", "acts_by"), [
    (BAISHA, "cn", "cn"), (GONGHE, "63", "63"), (HEPING, "12", "cn"),
])
def test_each_answer_names_the_rule_it_rests_on(place: str, owed_by: str, acts_by: str) -> None:
    clauses = asked(place, AFTER).clauses
    assert (clauses["papers_owed"].place, clauses["act_within"].place) == (owed_by, acts_by)
    assert clauses["record"].verified
    assert all(rule.reference for rule in clauses.values())


def test_a_village_has_the_rules_of_its_county() -> None:
    assert asked("500116108001", AFTER) == asked(JIANGJIN, AFTER)


def test_an_area_that_is_not_known_is_an_error() -> None:
    with pytest.raises(UnknownPlace):
        asked("999999", AFTER)
