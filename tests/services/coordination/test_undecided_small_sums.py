"""A small sum at once that nobody decides gets a workflow, a deadline and a task after an hour of legal time."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any, cast
from uuid import UUID

import asyncpg
import pytest

from contracts.benefits import Benefit
from contracts.envelope import new_id
from contracts.processes import ItemStarted, Leap
from deploy.invariants.checks import nobody_waits_unnamed
from deploy.invariants.live_data import LiveData
from services.coordination.case_view import view_case
from services.coordination.record_waits import record_item_waits
from services.coordination.undecided_small_sums import due, have_undecided_wait, next_due_at
from tests.services.coordination.builders import BAISHA, Matter, noon
from tests.services.coordination.service_under_test import Coordination

LONG_AGO = date(2022, 3, 7)
"""Before every other test's day: what is due then is this test's own."""
HOUR = timedelta(hours=1)


async def a_small_sum(coordination: Coordination) -> tuple[Matter, UUID]:
    matter, item = Matter(), new_id()
    await coordination.at(noon(LONG_AGO)).receive(matter.submitted(Benefit.TEMPORARY_ASSISTANCE, on=LONG_AGO),
                                                  matter.accepted(item, small_sum_fen=63000, on=LONG_AGO))
    return matter, item


async def waits_on_nobody(coordination: Coordination, item: UUID) -> bool:
    connection = await asyncpg.connect(coordination.admin_dsn)
    try:
        found = await nobody_waits_unnamed(LiveData(cast(Any, connection), records=[]))
    finally:
        await connection.close()
    return f"Item {item} was accepted and waits on nobody." in found


async def test_it_waits_with_a_workflow_a_deadline_and_a_task_an_hour_later(coordination: Coordination):
    matter, item = await a_small_sum(coordination)
    assert await waits_on_nobody(coordination, item)
    assert await next_due_at(coordination.runtime) == noon(LONG_AGO) + HOUR, "no leap passes it"
    coordination.at(noon(LONG_AGO) + HOUR - timedelta(seconds=1))
    assert (await due(coordination.runtime), await have_undecided_wait(coordination.runtime)) == (0, 0)

    coordination.at(noon(LONG_AGO) + HOUR)
    assert await due(coordination.runtime) == 1
    assert await have_undecided_wait(coordination.runtime) == 1
    assert (await due(coordination.runtime), await have_undecided_wait(coordination.runtime)) == (0, 0)
    assert await coordination.signals_of(matter.case_id) == ["ItemWorkflow"]
    [row] = await coordination.rows("select message from coordination.pending_signals where case_id = $1",
                                    matter.case_id)
    start = ItemStarted.model_validate({**json.loads(row["message"]), "leap": Leap()})
    assert (start.benefit, start.accepted_at) == (Benefit.TEMPORARY_ASSISTANCE, noon(LONG_AGO))
    assert (start.subject.item_id, start.subject.owner, start.subject.epoch) == (item, BAISHA, 1)
    await coordination.do(record_item_waits, start)
    view = await coordination.do(view_case, matter.case_id)
    assert [(task.kind, task.jurisdiction) for task in view.tasks] == [("decide_small_sum", BAISHA)]
    assert view.deadlines and not await waits_on_nobody(coordination, item)


async def test_decided_in_the_end_it_ends_like_any_item(coordination: Coordination):
    matter, item = await a_small_sum(coordination)
    coordination.at(noon(LONG_AGO) + HOUR)
    assert await have_undecided_wait(coordination.runtime) == 1
    await coordination.receive(matter.confirmed(item, new_id(), small_sum=True, on=LONG_AGO))
    assert await coordination.signals_of(matter.case_id) == ["ItemWorkflow", "decision_confirmed"]
    view = await coordination.do(view_case, matter.case_id)
    assert (view.tasks, await coordination.events_of(matter.case_id)) == ([], ["case.concluded"])


@pytest.mark.parametrize("end", ["confirmed", "withdrawn"])
async def test_what_is_decided_or_withdrawn_within_the_hour_starts_nothing(coordination: Coordination, end: str):
    matter, item = await a_small_sum(coordination)
    ending = matter.confirmed(item, new_id(), small_sum=True) if end == "confirmed" else matter.withdrawn(item)
    await coordination.receive(ending)
    coordination.at(noon(LONG_AGO) + HOUR)
    assert (await due(coordination.runtime), await have_undecided_wait(coordination.runtime)) == (0, 0)
    assert await coordination.signals_of(matter.case_id) == []
