"""Small sums at once (小额快救): by the registering signature, within the cap, once."""

from __future__ import annotations

import json
from datetime import date

import pytest

from contracts.benefits import Benefit, Standard
from tests.services.approval.builders import BAISHA, JIANGJIN, JIJIANG, YUBEI_TOWN, an_item_accepted
from tests.services.approval.service_under_test import Approval

MARCH_4 = date(2026, 3, 4)
AT_ONCE = ["decision.confirmed", "award.started"]
pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize(("standard", "amount_fen", "given"), [
    (Standard.RURAL, 63000, True), (Standard.RURAL, 63001, False),
    (Standard.URBAN, 77000, True), (Standard.URBAN, 77001, False),
])
async def test_a_small_sum_is_at_most_one_month_of_the_local_dibao(
    approval: Approval, standard: Standard, amount_fen: int, given: bool
) -> None:
    item = an_item_accepted(on=MARCH_4, small_sum_fen=amount_fen, standard=standard)
    await approval.on(MARCH_4).receive(item)
    assert await approval.events_of(item) == (AT_ONCE if given else ["decision.evidence_missing"])


async def test_the_award_is_one_period_of_this_month_paid_to_the_applicant(approval: Approval) -> None:
    item = an_item_accepted(on=MARCH_4, small_sum_fen=50000)
    await approval.on(MARCH_4).receive(item)
    [award] = await approval.rows("select * from approval.awards where item_id = $1", item.item_id)
    assert (award["amount_fen"], award["period"], award["first_month"]) == (50000, "once", date(2026, 3, 1))
    assert award["payee_person_id"] == item.data.applicant_person_id
    decision = await approval.decision_of(item)
    assert (decision["state"], decision["confirmed_by"]) == ("confirmed", f"officer:{BAISHA}:1")
    assert decision["small_sum"] is True and decision["cause"] == "fire"


@pytest.mark.parametrize(("on", "wanted"), [
    (date(2026, 1, 28), "small_sum_within_cap"),  # the day before the national opinion
    (date(2026, 1, 29), None),
])
async def test_no_small_sum_before_the_rule_was_in_force(approval: Approval, on: date, wanted: str | None) -> None:
    item = an_item_accepted(on=on, small_sum_fen=100)
    await approval.on(on).receive(item)
    kept = await approval.item(item)
    assert json.loads(kept["missing"]) == ([wanted] if wanted else [])
    assert kept["waits_on"] == ("officer" if wanted else None)


@pytest.mark.parametrize(("signed_by", "near_relative", "given"), [
    (f"officer:{BAISHA}:1", False, True),
    (f"officer:{JIANGJIN}:1", False, True),
    (f"officer:{JIJIANG}:1", False, False),
    ("system", False, False),
    (f"officer:{BAISHA}:1", True, False),
    (f"officer:{JIANGJIN}:1", True, True),
])
async def test_only_an_officer_of_the_place_signs_and_only_the_county_for_a_near_relative(
    approval: Approval, signed_by: str, near_relative: bool, given: bool
) -> None:
    item = an_item_accepted(on=MARCH_4, small_sum_fen=100, signed_by=signed_by, near_relative=near_relative)
    await approval.on(MARCH_4).receive(item)
    assert await approval.events_of(item) == (AT_ONCE if given else ["decision.evidence_missing"])


async def test_the_same_event_again_gives_nothing_twice(approval: Approval) -> None:
    item = an_item_accepted(on=MARCH_4, small_sum_fen=100)
    await approval.on(MARCH_4).receive(item)
    await approval.receive(item)
    assert await approval.events_of(item) == AT_ONCE


async def test_a_poisoned_item_stops_no_other_of_its_batch(approval: Approval) -> None:
    unknown_place = an_item_accepted(on=MARCH_4, small_sum_fen=100, owner="990000001")
    others = [an_item_accepted(on=MARCH_4, small_sum_fen=100) for _ in range(3)]
    await approval.on(MARCH_4).receive(others[0], unknown_place, *others[1:])
    assert [await approval.events_of(item) for item in others] == [AT_ONCE] * 3
    assert await approval.events_of(unknown_place) == []
    parked = await approval.rows("select reason from approval.dead_letters where case_id = $1", unknown_place.case_id)
    assert len(parked) == 1


@pytest.mark.parametrize(("jurisdiction", "status"), [
    (BAISHA, 200), (JIANGJIN, 200), (YUBEI_TOWN, 200), (JIJIANG, 403),
])
async def test_an_officer_of_the_owner_or_the_living_place_gives_it_over_http(
    approval: Approval, jurisdiction: str, status: int
) -> None:
    item = an_item_accepted(on=MARCH_4, benefit=Benefit.TEMPORARY_ASSISTANCE, living_area=YUBEI_TOWN)
    await approval.on(MARCH_4).receive(item)
    answer = await approval.post(f"/items/{item.item_id}/small-sum", approval.officer(jurisdiction),
                                 {"amount_fen": 50000, "cause": "sudden_illness"})
    assert answer.status_code == status, answer.text
    assert await approval.events_of(item) == (AT_ONCE if status == 200 else [])


async def test_the_same_small_sum_again_is_the_same_answer_and_another_is_refused(approval: Approval) -> None:
    item = an_item_accepted(on=MARCH_4, benefit=Benefit.TEMPORARY_ASSISTANCE)
    await approval.on(MARCH_4).receive(item)
    path, officer = f"/items/{item.item_id}/small-sum", approval.officer(BAISHA)
    first = await approval.post(path, officer, {"amount_fen": 50000, "cause": "sudden_illness"})
    again = await approval.post(path, officer, {"amount_fen": 50000, "cause": "sudden_illness"})
    other = await approval.post(path, officer, {"amount_fen": 60000, "cause": "sudden_illness"})
    assert again.json() == first.json()
    assert (other.status_code, other.json()["code"]) == (409, "already_confirmed")
    assert await approval.events_of(item) == AT_ONCE


@pytest.mark.parametrize(("benefit", "amount_fen", "code"), [
    (Benefit.TEMPORARY_ASSISTANCE, 63001, "above_small_sum_cap"),
    (Benefit.DIBAO, 100, "no_small_sum"),
])
async def test_what_no_rule_allows_is_refused_and_stores_nothing(
    approval: Approval, benefit: Benefit, amount_fen: int, code: str
) -> None:
    item = an_item_accepted(on=MARCH_4, benefit=benefit)
    await approval.on(MARCH_4).receive(item)
    answer = await approval.post(f"/items/{item.item_id}/small-sum", approval.officer(BAISHA),
                                 {"amount_fen": amount_fen, "cause": "sudden_illness"})
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert await approval.events_of(item) == []


async def test_an_item_without_check_and_without_small_sum_waits_on_an_officer(approval: Approval) -> None:
    item = an_item_accepted(on=MARCH_4, benefit=Benefit.TEMPORARY_ASSISTANCE, needs_verification=False)
    await approval.on(MARCH_4).receive(item)
    assert await approval.events_of(item) == ["decision.evidence_missing"]
    assert (await approval.item(item))["waits_on"] == "officer"
