"""Signals are written with their cause, sent in order once Temporal is there, and never lost or fatal."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from temporalio.client import Client

from contracts.envelope import new_id
from contracts.processes import ItemStarted, Leap, item_workflow_id
from services.coordination.bridge import Bridge
from services.coordination.case_view import view_case
from services.coordination.follow_leaps import due_wakes, follow_leaps
from services.coordination.forget_signals import forget_signals
from services.coordination.record_waits import record_item_waits
from services.coordination.touched_workflows import TouchedWorkflows
from services.coordination.watch_workflows import WorkflowWatch
from services.runtime.problems import Unavailable
from services.runtime.temporal import TemporalConnection
from tests.services.coordination.builders import Matter, noon
from tests.services.coordination.service_under_test import Coordination


@pytest_asyncio.fixture(loop_scope="session")
async def bridge(coordination: Coordination) -> Bridge:
    """A bridge with nothing to send but what the test brings."""
    await coordination.rows("update coordination.pending_signals set sent_at = clock_timestamp() "
                            "where sent_at is null returning id")
    touched = TouchedWorkflows()
    touched._read = True  # what other tests sent is not this one's
    return Bridge(touched)


async def deliveries(coordination: Coordination, matter: Matter) -> list[tuple[str, str | None]]:
    rows = await coordination.rows("select name, delivery from coordination.pending_signals "
                                   "where case_id = $1 order by id", matter.case_id)
    return [(row["name"], row["delivery"]) for row in rows]


async def history(client: Client, item_id: UUID) -> list[str]:
    """Signals a workflow was told, in order."""
    fetched = await client.get_workflow_handle(item_workflow_id(item_id)).fetch_history()
    return [event.workflow_execution_signaled_event_attributes.signal_name for event in fetched.events
            if event.HasField("workflow_execution_signaled_event_attributes")]


async def test_one_case_is_told_in_order_and_its_workflow_counts_as_busy(coordination: Coordination, bridge: Bridge):
    matter, item, decision = Matter(), new_id(), new_id()
    await coordination.receive(matter.accepted(item), matter.proposed(item, decision),
                               matter.notice_opened(item, decision), matter.confirmed(item, decision))
    assert await bridge.pending(coordination.runtime) == 4
    assert await bridge.drain(coordination.runtime) == 4
    client = await coordination.runtime.temporal.client()
    assert await history(client, item) == ["decision_proposed", "decision_proposed", "decision_confirmed"]
    # Nobody runs workflows here, so its task stays pending.
    assert await bridge.pending(coordination.runtime) == 1
    await client.get_workflow_handle(item_workflow_id(item)).terminate()
    assert await bridge.pending(coordination.runtime) == 0
    assert await bridge.drain(coordination.runtime) == 0


async def test_a_word_sent_again_after_a_crash_starts_nothing_twice(coordination: Coordination, bridge: Bridge):
    matter, item = Matter(), new_id()
    await coordination.receive(matter.accepted(item))
    await bridge.drain(coordination.runtime)
    await coordination.rows("update coordination.pending_signals set sent_at = null where case_id = $1 returning id",
                            matter.case_id)
    await bridge.drain(coordination.runtime)
    assert await deliveries(coordination, matter) == [("ItemWorkflow", "already_started")]


async def test_a_word_to_a_workflow_that_is_over_is_a_fact_and_no_error(coordination: Coordination, bridge: Bridge):
    matter, item = Matter(), new_id()
    await coordination.receive(matter.accepted(item))
    await bridge.drain(coordination.runtime)
    client = await coordination.runtime.temporal.client()
    await client.get_workflow_handle(item_workflow_id(item)).terminate()
    await coordination.receive(matter.withdrawn(item))
    await bridge.drain(coordination.runtime)
    assert await deliveries(coordination, matter) == [("ItemWorkflow", "delivered"), ("item_withdrawn", "ended")]


async def test_while_temporal_is_down_signals_stay_and_are_sent_afterwards(coordination: Coordination, bridge: Bridge):
    matter, item = Matter(), new_id()
    there = coordination.runtime.temporal
    payload_key = coordination.runtime.settings.payload_key
    coordination.runtime.temporal = TemporalConnection("127.0.0.1:9", "onething", payload_key)
    await coordination.receive(matter.accepted(item))
    with pytest.raises(Unavailable):
        await bridge.drain(coordination.runtime)
    assert await deliveries(coordination, matter) == [("ItemWorkflow", None)]
    assert await bridge.pending(coordination.runtime) == 1
    coordination.runtime.temporal = there
    await bridge.drain(coordination.runtime)
    assert await deliveries(coordination, matter) == [("ItemWorkflow", "delivered")]


async def test_a_start_carries_the_leap_of_when_it_is_sent(coordination: Coordination, bridge: Bridge):
    matter, item = Matter(), new_id()
    await coordination.receive(matter.accepted(item))
    coordination.database.leap_number = 7
    await bridge.drain(coordination.runtime)
    client = await coordination.runtime.temporal.client()
    fetched = await client.get_workflow_handle(item_workflow_id(item)).fetch_history()
    payloads = fetched.events[0].workflow_execution_started_event_attributes.input.payloads
    [start] = await client.data_converter.decode(payloads, [ItemStarted])
    assert start.leap.number == 7
    assert str(item).encode() not in payloads[0].data, "payloads are encrypted"


async def test_a_wake_whose_workflow_is_gone_holds_the_clock_no_longer(coordination: Coordination, bridge: Bridge):
    matter, item = Matter(), new_id()
    accepted: Any = matter.accepted(item, on=date(2023, 3, 6))
    await coordination.at(noon(date(2023, 3, 6))).receive(accepted)
    await coordination.rows("delete from coordination.pending_signals where case_id = $1 returning id", matter.case_id)
    start = ItemStarted(subject=accepted.subject, benefit=accepted.data.benefit,
                        accepted_at=accepted.data.accepted_at, leap=Leap())
    waits = await coordination.do(record_item_waits, start)
    coordination.at(waits.wakes[0].wake_at).database.leap_number = 1
    assert await due_wakes(coordination.runtime) == 1
    await follow_leaps(coordination.runtime)
    await bridge.drain(coordination.runtime)
    assert await deliveries(coordination, matter) == [("clock_moved", "ended")]
    assert await due_wakes(coordination.runtime) == 0


async def test_signals_sent_long_ago_are_forgotten_and_unsent_ones_never(coordination: Coordination):
    matter, names = Matter(), ("old", "fresh", "unsent")
    await coordination.rows(
        "insert into coordination.pending_signals (case_id, workflow_id, kind, name, message, created_at, sent_at) "
        "select $1, 'item-x', 'signal', name, '{}', clock_timestamp() - interval '40 days', sent_at from (values "
        "('old', clock_timestamp() - interval '31 days'), ('fresh', clock_timestamp()), ('unsent', null)) "
        "as given (name, sent_at) returning id", matter.case_id)
    assert await coordination.signals_of(matter.case_id) == list(names)
    while await coordination.do(forget_signals):
        pass
    assert await coordination.signals_of(matter.case_id) == ["fresh", "unsent"]
    await coordination.rows("delete from coordination.pending_signals where case_id = $1 returning id", matter.case_id)


async def test_a_word_that_cannot_be_sent_holds_its_own_case_only(coordination: Coordination, bridge: Bridge):
    broken, item, other, other_item = Matter(), new_id(), Matter(), new_id()
    await coordination.receive(broken.accepted(item))
    await coordination.receive(broken.withdrawn(item))
    await coordination.rows("update coordination.pending_signals set message = '{}' where case_id = $1 "
                            "and name = 'ItemWorkflow' returning id", broken.case_id)
    await coordination.receive(other.accepted(other_item))
    with pytest.raises(ValueError, match="ItemStarted"):
        await bridge.drain(coordination.runtime)
    assert await deliveries(coordination, other) == [("ItemWorkflow", "delivered")]
    assert await deliveries(coordination, broken) == [("ItemWorkflow", None), ("item_withdrawn", None)]
    assert await bridge.pending(coordination.runtime) >= 2, "it stays visible and holds the clock"


async def test_held_cases_that_fill_a_round_starve_nobody(
    coordination: Coordination, bridge: Bridge, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("services.coordination.bridge.ROWS_PER_ROUND", 2)
    broken, others = [Matter() for _ in range(2)], [Matter() for _ in range(3)]
    for matter in broken:
        await coordination.receive(matter.accepted(new_id()))
    await coordination.rows("update coordination.pending_signals set message = '{}' where case_id = any($1) "
                            "returning id", [matter.case_id for matter in broken])
    for matter in others:
        await coordination.receive(matter.accepted(new_id()))
    with pytest.raises(ValueError, match="ItemStarted"):
        await bridge.drain(coordination.runtime)
    for matter in others:
        assert await deliveries(coordination, matter) == [("ItemWorkflow", "delivered")]
    for matter in broken:
        assert await deliveries(coordination, matter) == [("ItemWorkflow", None)]
    await coordination.rows("delete from coordination.pending_signals where case_id = any($1) returning id",
                            [matter.case_id for matter in broken])


async def test_a_workflow_that_failed_is_found_without_a_leap(
    coordination: Coordination, bridge: Bridge, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("services.coordination.watch_workflows.DEADLINES_PER_LOOK", 2)
    running, failed = (Matter(), new_id()), (Matter(), new_id())
    for matter, item in (running, failed):
        accepted: Any = matter.accepted(item)
        await coordination.receive(accepted)
        await coordination.do(record_item_waits, ItemStarted(
            subject=accepted.subject, benefit=accepted.data.benefit, accepted_at=accepted.data.accepted_at,
            leap=Leap()))
    await bridge.drain(coordination.runtime)
    client = await coordination.runtime.temporal.client()
    await client.get_workflow_handle(item_workflow_id(failed[1])).terminate()
    watch = WorkflowWatch()
    [table] = await coordination.rows("select count(*) from coordination.deadlines where met_at is null")
    for _ in range(table["count"]):  # two at a time, and the table is shared
        await watch.look(coordination.runtime)
    for (matter, _), gone in ((running, False), (failed, True)):
        view = await coordination.do(view_case, matter.case_id)
        assert {deadline.workflow_gone_at is not None for deadline in view.deadlines} == {gone}
