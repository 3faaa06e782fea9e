"""Confirmation over HTTP: after the notice, by the right officer, once; and the award it starts."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest

from contracts.envelope import EventEnvelope, new_id
from contracts.events.item import ItemAccepted
from tests.services.approval.builders import (
    BAISHA,
    JIANGJIN,
    JIJIANG,
    a_verification,
    an_item_accepted,
)
from tests.services.approval.service_under_test import Approval

OPENED = date(2025, 1, 8)
CONFIRMED = ["decision.proposed", "public_notice.opened", "public_notice.ended", "decision.confirmed", "award.started"]
pytestmark = pytest.mark.asyncio(loop_scope="session")


async def a_proposal(approval: Approval, **known: Any) -> tuple[EventEnvelope[ItemAccepted], str]:
    """An item with a proposal of Wednesday, and the address at which it is confirmed."""
    item = an_item_accepted()
    await approval.on(OPENED).receive(item, a_verification(item, **known))
    decision = await approval.decision_of(item)
    return item, f"/decisions/{decision['decision_id']}/confirm"


@pytest.mark.parametrize(("day", "status"), [(0, 409), (7, 409), (8, 200)])
async def test_nothing_is_confirmed_before_the_notice_has_ended(approval: Approval, day: int, status: int) -> None:
    item, path = await a_proposal(approval)
    answer = await approval.on(OPENED + timedelta(days=day)).post(path, approval.officer(BAISHA))
    assert answer.status_code == status
    if status == 409:
        assert answer.json()["code"] == "notice_open" and "2025-01-15" in answer.json()["detail"]
    assert await approval.events_of(item) == (CONFIRMED if status == 200 else CONFIRMED[:2])


@pytest.mark.parametrize(("confirmed_on", "first_month"), [
    (date(2025, 1, 16), date(2025, 1, 1)),  # Chongqing pays from the month of approval
    (date(2025, 1, 31), date(2025, 1, 1)),
    (date(2025, 2, 1), date(2025, 2, 1)),
])
async def test_the_award_starts_in_the_month_that_the_places_rule_says(
    approval: Approval, confirmed_on: date, first_month: date
) -> None:
    item, path = await a_proposal(approval)
    answer = await approval.on(confirmed_on).post(path, approval.officer(BAISHA))
    assert answer.json()["first_month"] == first_month.isoformat()
    [award] = await approval.rows("select * from approval.awards where item_id = $1", item.item_id)
    assert (award["first_month"], award["period"], award["amount_fen"]) == (first_month, "monthly", 67000)
    assert award["payee_person_id"] == item.data.applicant_person_id


async def test_a_confirmed_refusal_starts_no_award(approval: Approval) -> None:
    item, path = await a_proposal(approval, wage_fen_month=90000)
    assert (await approval.post(path, approval.officer(BAISHA))).status_code == 200
    assert await approval.events_of(item) == ["decision.proposed", "decision.confirmed"]


async def test_confirming_twice_is_one_confirmation_and_another_officer_is_told(approval: Approval) -> None:
    item, path = await a_proposal(approval)
    approval.on(OPENED + timedelta(days=8))
    first = await approval.post(path, approval.officer(BAISHA))
    again = await approval.on(OPENED + timedelta(days=9)).post(path, approval.officer(BAISHA))
    other = await approval.post(path, approval.officer(BAISHA, number=2))
    assert (again.status_code, again.json()) == (200, first.json())
    assert (other.status_code, other.json()["code"]) == (409, "already_confirmed")
    assert await approval.events_of(item) == CONFIRMED


async def test_confirmed_at_the_same_moment_by_many_it_is_confirmed_once(approval: Approval) -> None:
    item, path = await a_proposal(approval)
    approval.on(OPENED + timedelta(days=8))
    officers = [approval.officer(BAISHA, number=1 + count % 2) for count in range(8)]
    answers = await asyncio.gather(*(approval.post(path, officer) for officer in officers))
    assert sorted(answer.status_code for answer in answers) == [200] * 4 + [409] * 4
    assert await approval.events_of(item) == CONFIRMED


@pytest.mark.parametrize(("jurisdiction", "status", "code"), [
    (JIANGJIN, 403, "delegated_to_town"),
    (JIJIANG, 404, "decision_not_found"),  # out of sight: not even its existence is told
    ("500112", 404, "decision_not_found"),
])
async def test_another_office_cannot_confirm(approval: Approval, jurisdiction: str, status: int, code: str) -> None:
    item, path = await a_proposal(approval)
    answer = await approval.on(OPENED + timedelta(days=8)).post(path, approval.officer(jurisdiction))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await approval.events_of(item) == CONFIRMED[:2]


async def test_only_officers_confirm(approval: Approval) -> None:
    _, path = await a_proposal(approval)
    assert (await approval.post(path, {})).json()["code"] == "no_token"
    assert (await approval.post(path, approval.officer(BAISHA, role="investigator"))).status_code == 403


async def test_a_superseded_proposal_is_not_confirmed(approval: Approval) -> None:
    item, path = await a_proposal(approval)
    await approval.receive(a_verification(item, revision=2, wage_fen_month=90000))
    answer = await approval.on(OPENED + timedelta(days=30)).post(path, approval.officer(BAISHA))
    assert (answer.status_code, answer.json()["code"]) == (409, "superseded")


async def test_a_list_is_confirmed_one_by_one_with_a_result_for_each(approval: Approval) -> None:
    first, path = await a_proposal(approval)
    second, other_path = await a_proposal(approval, wage_fen_month=90000)
    open_item = an_item_accepted()
    await approval.on(OPENED + timedelta(days=3)).receive(open_item, a_verification(open_item))
    ids = [path.split("/")[2], str((await approval.decision_of(open_item))["decision_id"]), str(new_id()),
           other_path.split("/")[2]]
    answer = await approval.on(OPENED + timedelta(days=8)).post(
        "/decisions/confirm", approval.officer(BAISHA), {"decision_ids": ids}
    )
    results = answer.json()["results"]
    assert [result["decision_id"] for result in results] == ids
    assert [result["code"] for result in results] == [None, "notice_open", "decision_not_found", None]
    assert (await approval.events_of(first))[-1] == "award.started"
    assert (await approval.events_of(second))[-1] == "decision.confirmed"
    assert (await approval.events_of(open_item)) == CONFIRMED[:2]


@pytest.mark.parametrize("count", [0, 201])
async def test_a_list_has_one_to_two_hundred_decisions(approval: Approval, count: int) -> None:
    body = {"decision_ids": [str(new_id()) for _ in range(count)]}
    answer = await approval.post("/decisions/confirm", approval.officer(BAISHA), body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "decision_ids"
