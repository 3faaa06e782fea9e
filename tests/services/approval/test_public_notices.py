"""Public notices: what they show, for how long, and their end."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from contracts.envelope import EventEnvelope
from contracts.events.item import ItemAccepted
from contracts.processes import EndPublicNotice
from services.approval.activities import activities
from services.runtime.problems import PermanentError
from tests.services.approval.builders import BAISHA, a_verification, an_item_accepted
from tests.services.approval.service_under_test import Approval

OPENED = date(2025, 1, 8)
SHIMA, YUBEI_VILLAGE = "500116105", "500112133201"  # notices of these places are of this module only
pytestmark = pytest.mark.asyncio(loop_scope="session")


async def a_notice(approval: Approval, **differs: Any) -> EventEnvelope[ItemAccepted]:
    item = an_item_accepted(**{"owner": SHIMA, **differs})
    await approval.on(OPENED).receive(item, a_verification(item))
    return item


async def shown(approval: Approval, jurisdiction: str) -> list[dict[str, Any]]:
    answer = await approval.http.get("/notices", params={"jurisdiction": jurisdiction})
    assert answer.status_code == 200, answer.text
    return answer.json()["notices"]


async def test_a_notice_shows_masked_name_size_amount_and_nothing_else(approval: Approval) -> None:
    await a_notice(approval, living_area=YUBEI_VILLAGE)
    [notice] = await shown(approval, "500112133")
    assert notice == {
        "masked_name": "雷*", "household_size": 1, "amount_fen": 67000, "amount_yuan": "670.00",
        "area": YUBEI_VILLAGE, "ends_on": "2025-01-15",
    }
    assert all(notice["area"] == SHIMA for notice in await shown(approval, SHIMA))


@pytest.mark.parametrize(("day", "visible"), [(0, True), (7, True), (8, False)])
async def test_a_notice_is_gone_after_its_last_day(approval: Approval, day: int, visible: bool) -> None:
    town = f"50011610{(1, 2, 3)[(0, 7, 8).index(day)]}"
    await a_notice(approval, owner=town)
    approval.on(OPENED + timedelta(days=day))
    assert bool(await shown(approval, town)) is visible


async def test_a_notice_that_was_taken_down_is_not_shown(approval: Approval) -> None:
    item = await a_notice(approval, owner="500116104")
    await approval.receive(a_verification(item, revision=2, wage_fen_month=90000))
    assert await shown(approval, "500116104") == []


@pytest.mark.parametrize("jurisdiction", ["", "%", "50", "5001%", "５００１"])
async def test_only_a_place_can_be_asked_for(approval: Approval, jurisdiction: str) -> None:
    answer = await approval.http.get("/notices", params={"jurisdiction": jurisdiction})
    assert answer.status_code == 422


@pytest.mark.parametrize(("day", "ended"), [(7, False), (8, True)])
async def test_the_activity_ends_a_notice_once_and_only_after_its_days(
    approval: Approval, day: int, ended: bool
) -> None:
    item = await a_notice(approval)
    command = EndPublicNotice(subject=item.subject, decision_id=(await approval.decision_of(item))["decision_id"])
    [end_notice] = activities(approval.on(OPENED + timedelta(days=day)).runtime)
    assert [await end_notice(command), await end_notice(command)] == [ended, ended]
    assert (await approval.events_of(item)).count("public_notice.ended") == int(ended)


async def test_after_the_confirmation_the_activity_finds_the_notice_ended(approval: Approval) -> None:
    item = await a_notice(approval, owner=BAISHA)
    decision_id = (await approval.decision_of(item))["decision_id"]
    await approval.on(OPENED + timedelta(days=8)).post(f"/decisions/{decision_id}/confirm", approval.officer(BAISHA))
    [end_notice] = activities(approval.runtime)
    assert await end_notice(EndPublicNotice(subject=item.subject, decision_id=decision_id)) is True
    assert (await approval.events_of(item)).count("public_notice.ended") == 1


async def test_a_decision_without_notice_is_a_mistake_of_the_workflow(approval: Approval) -> None:
    item = an_item_accepted()
    await approval.on(OPENED).receive(item, a_verification(item, wage_fen_month=90000))
    [end_notice] = activities(approval.runtime)
    with pytest.raises(PermanentError, match="no public notice"):
        await end_notice(EndPublicNotice(
            subject=item.subject, decision_id=(await approval.decision_of(item))["decision_id"]
        ))
