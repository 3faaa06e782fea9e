"""Who may confirm what and when, as a table: no database, no clock."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from contracts.benefits import Benefit, Standard
from contracts.envelope import new_id
from contracts.events.decision import Outcome, Reason
from services.approval import rules
from tests.services.approval.builders import BAISHA, JIANGJIN, JIJIANG, YUBEI_TOWN

OPENED = date(2025, 1, 8)
ENDS_ON = OPENED + timedelta(days=7)


def an_item(**differs: Any) -> rules.Item:
    values: dict[str, Any] = {
        "item_id": new_id(), "case_id": new_id(), "benefit": Benefit.DIBAO, "owner": BAISHA, "epoch": 1,
        "living_area": YUBEI_TOWN, "standard": Standard.RURAL, "applicant_person_id": new_id(),
        "household_size": 1, **differs,
    }
    return rules.Item(**values)


def a_decision(**differs: Any) -> rules.Decision:
    values: dict[str, Any] = {
        "decision_id": new_id(), "owner": BAISHA, "epoch": 1, "level": rules.Level.TOWN, "outcome": Outcome.GRANT,
        "confirmable_from": ENDS_ON + timedelta(days=1), "notice_ends_on": ENDS_ON, **differs,
    }
    return rules.Decision(**values)


def an_officer(jurisdiction: str = BAISHA, number: int = 1) -> rules.Officer:
    return rules.Officer(f"officer:{jurisdiction}:{number}", jurisdiction)


def outcome_of(answer: rules.Confirmation | rules.Refusal) -> str:
    return answer.code.value if isinstance(answer, rules.Refusal) else "repeated" if answer.repeated else "confirmed"


@pytest.mark.parametrize(("day", "answer"), [
    (0, "notice_open"), (6, "notice_open"), (7, "notice_open"), (8, "confirmed"), (30, "confirmed"),
])
def test_a_grant_waits_until_the_seventh_day_of_its_notice_is_over(day: int, answer: str) -> None:
    on = OPENED + timedelta(days=day)
    assert outcome_of(rules.confirm(a_decision(), an_item(), an_officer(), on=on)) == answer


def test_the_refusal_says_until_when_and_what_to_do() -> None:
    decision = a_decision()
    refused = rules.confirm(decision, an_item(), an_officer(), on=ENDS_ON)
    assert isinstance(refused, rules.Refusal)
    assert refused.detail == (
        f"Decision {decision.decision_id}: public notice open until 2025-01-15. Confirm after that day."
    )


@pytest.mark.parametrize(("day", "answer"), [(-1, "too_early"), (0, "confirmed")])
def test_a_refusal_is_confirmed_without_notice(day: int, answer: str) -> None:
    refusal = a_decision(outcome=Outcome.REFUSE, notice_ends_on=None, confirmable_from=OPENED)
    on = OPENED + timedelta(days=day)
    assert outcome_of(rules.confirm(refusal, an_item(), an_officer(), on=on)) == answer


@pytest.mark.parametrize(("level", "near_relative", "jurisdiction", "answer"), [
    ("town", False, BAISHA, "confirmed"),
    ("town", False, JIANGJIN, "delegated_to_town"),
    ("town", False, JIJIANG, "not_your_jurisdiction"),
    ("town", False, YUBEI_TOWN, "not_your_jurisdiction"),
    ("town", False, "5001", "not_your_jurisdiction"),
    ("town", False, BAISHA + "201", "not_your_jurisdiction"),
    ("county", False, JIANGJIN, "confirmed"),
    ("county", False, BAISHA, "county_decides"),
    ("county", False, "500112", "not_your_jurisdiction"),
    ("town", True, BAISHA, "county_decides"),
    ("town", True, JIANGJIN, "confirmed"),
])
def test_only_the_office_that_decides_confirms(
    level: str, near_relative: bool, jurisdiction: str, answer: str
) -> None:
    decision, item = a_decision(level=rules.Level(level)), an_item(near_relative_of_officer=near_relative)
    on = ENDS_ON + timedelta(days=1)
    assert outcome_of(rules.confirm(decision, item, an_officer(jurisdiction), on=on)) == answer


@pytest.mark.parametrize(("of_decision", "of_item", "answer"), [
    ({"superseded": True}, {}, "superseded"),
    ({"withdrawn": True}, {"withdrawn": True}, "withdrawn"),
    ({}, {"withdrawn": True}, "withdrawn"),
    ({}, {"epoch": 2}, "owner_changed"),
    ({"owner": JIJIANG}, {}, "owner_changed"),
    ({"confirmed_by": f"officer:{BAISHA}:1"}, {}, "repeated"),
    ({"confirmed_by": f"officer:{BAISHA}:2"}, {}, "already_confirmed"),
])
def test_what_no_longer_stands_is_not_confirmed(
    of_decision: dict[str, Any], of_item: dict[str, Any], answer: str
) -> None:
    on = ENDS_ON + timedelta(days=1)
    assert outcome_of(rules.confirm(a_decision(**of_decision), an_item(**of_item), an_officer(), on=on)) == answer


@pytest.mark.parametrize(("jurisdiction", "near_relative", "amount_fen", "cap_fen", "code"), [
    (BAISHA, False, 63000, 63000, None),
    (BAISHA, False, 63001, 63000, "above_small_sum_cap"),
    (BAISHA, False, 1, None, "no_small_sum"),
    (JIANGJIN, False, 1, 63000, None),
    (YUBEI_TOWN, False, 1, 63000, None),
    (JIJIANG, False, 1, 63000, "not_your_jurisdiction"),
    (BAISHA, True, 1, 63000, "county_decides"),
    (JIANGJIN, True, 1, 63000, None),
])
def test_a_small_sum_is_given_within_the_cap_by_an_officer_of_the_place(
    jurisdiction: str, near_relative: bool, amount_fen: int, cap_fen: int | None, code: str | None
) -> None:
    refusal = rules.small_sum(rules.SmallSumAsked(
        an_item(near_relative_of_officer=near_relative), an_officer(jurisdiction), amount_fen, cap_fen
    ))
    assert (refusal.code.value if refusal else None) == code


@pytest.mark.parametrize(("officer_id", "jurisdiction"), [
    (f"officer:{BAISHA}:1", BAISHA), (f"officer:{JIANGJIN}:li", JIANGJIN),
    ("citizen:1", None), ("officer:5001:1", None), (f"officer:{BAISHA}:", None), (f"officer:{BAISHA}:1\n", None),
])
def test_an_officer_id_carries_its_place(officer_id: str, jurisdiction: str | None) -> None:
    officer = rules.Officer.of_id(officer_id)
    assert (officer.jurisdiction if officer else None) == jurisdiction


@pytest.mark.parametrize(("informants", "whose_move"), [
    (["source"], "source"), (["source", "applicant"], "applicant"), (["source", "applicant", "officer"], "officer"),
    (["rulebook"], "officer"),
])
def test_an_item_waits_on_whoever_can_move_it(informants: list[str], whose_move: str) -> None:
    assert rules.waits_on(informants) == whose_move


def test_proposals_differ_by_what_they_say_not_by_its_order() -> None:
    first, second = (Reason(code=code, zh="", en="", clause="") for code in ("a", "b"))
    one, other, third = (
        rules.Proposal.of(Outcome.REFUSE, None, None, rules.Level.TOWN, [], reasons)
        for reasons in ([first, second], [second, first], [first])
    )
    assert one == other != third


@pytest.mark.parametrize(("is_adult", "shown"), [(True, "雷*"), (False, "未成年人")])
def test_a_notice_never_names_a_minor(is_adult: bool, shown: str) -> None:
    assert rules.name_in_notice("雷*", is_adult=is_adult) == shown


@pytest.mark.parametrize(("amount_fen", "yuan"), [(63000, "630.00"), (520, "5.20"), (1, "0.01")])
def test_sums_are_told_in_yuan_to_the_fen(amount_fen: int, yuan: str) -> None:
    assert rules.yuan(amount_fen) == yuan
