"""Legal time in a workflow: a timer proves nothing, a leap is looked at once it is told, stale ones never."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from contracts.processes import Activity, ClockReading, Leap, Signal
from tests.workflows.waiting import Breaks, Outcome, Start, WaitOnce
from workflows.worker import FAILS_THE_WORKFLOW, sandbox

QUEUE = "test-legal-wait"
BINARIES = Path(sys.executable).parent
DAY = timedelta(days=1)
POLLS_MAX = 200


def microseconds(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1)


@dataclass
class DatabaseClock:
    """Stands where Postgres stands: machine time of the server plus the newest leap."""

    machine_now: Callable[[], datetime]
    leap: Leap = field(default_factory=Leap)
    reads_count: int = 0
    reported: list[datetime] = field(default_factory=list[datetime])

    @activity.defn(name=Activity.READ_CLOCK)
    async def read_clock(self) -> ClockReading:
        self.reads_count += 1
        legal_now = self.machine_now() + timedelta(microseconds=self.leap.offset_us)
        self.reported.append(legal_now)
        return ClockReading(legal_now=legal_now, leap=self.leap)

    def leap_by(self, offset: timedelta) -> Leap:
        self.leap = Leap(number=self.leap.number + 1, offset_us=self.leap.offset_us + microseconds(offset))
        return self.leap


@asynccontextmanager
async def working(client: Client, clock: DatabaseClock) -> AsyncIterator[None]:
    worker = Worker(
        client,
        task_queue=QUEUE,
        workflows=[WaitOnce, Breaks],
        activities=[clock.read_clock],
        workflow_runner=sandbox(),
        workflow_failure_exception_types=FAILS_THE_WORKFLOW,
    )
    async with worker:
        yield


async def started(client: Client, start: Start) -> WorkflowHandle[WaitOnce, Outcome]:
    return await client.start_workflow(WaitOnce.run, start, id=f"wait-{uuid4()}", task_queue=QUEUE)


async def timers_started(handle: WorkflowHandle[WaitOnce, Outcome]) -> int:
    history = await handle.fetch_history()
    return sum(event.event_type == EventType.EVENT_TYPE_TIMER_STARTED for event in history.events)


async def until_timers(handle: WorkflowHandle[WaitOnce, Outcome], count: int) -> None:
    for _ in range(POLLS_MAX):
        if await timers_started(handle) >= count:
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"the workflow did not arm timer {count}")


@pytest.fixture
async def real_time() -> AsyncIterator[Client]:
    environment = await WorkflowEnvironment.start_local(
        data_converter=pydantic_data_converter, dev_server_existing_path=str(BINARIES / "temporal")
    )
    async with environment:
        yield environment.client


def machine_now() -> datetime:
    return datetime.now(UTC)


async def test_thirty_days_pass_and_the_reading_confirms_them():
    environment = await WorkflowEnvironment.start_time_skipping(
        data_converter=pydantic_data_converter,
        test_server_existing_path=str(BINARIES / "temporal-test-server"),
    )
    async with environment:
        start_at = await environment.get_current_time()
        wake_at = start_at + 30 * DAY
        clock = DatabaseClock(lambda: wake_at)
        async with working(environment.client, clock):
            outcome = await environment.client.execute_workflow(
                WaitOnce.run, Start(wake_at=wake_at), id=f"wait-{uuid4()}", task_queue=QUEUE
            )
        assert outcome == Outcome(came=False, leap_number=0)
        assert clock.reads_count == 1
        assert await environment.get_current_time() >= wake_at


async def test_a_timer_that_fired_early_by_the_database_clock_is_armed_again():
    environment = await WorkflowEnvironment.start_time_skipping(
        data_converter=pydantic_data_converter,
        test_server_existing_path=str(BINARIES / "temporal-test-server"),
    )
    async with environment:
        wake_at = await environment.get_current_time() + 2 * DAY
        readings = iter([wake_at - DAY, wake_at - timedelta(seconds=3), wake_at])
        clock = DatabaseClock(lambda: next(readings))
        async with working(environment.client, clock):
            handle = await started(environment.client, Start(wake_at=wake_at))
            outcome = await handle.result()
            timers = await timers_started(handle)
    assert outcome.came is False
    assert clock.reported == [wake_at - DAY, wake_at - timedelta(seconds=3), wake_at]
    assert timers == 3


async def test_a_leap_past_the_moment_wakes_at_once(real_time: Client):
    clock = DatabaseClock(machine_now)
    async with working(real_time, clock):
        handle = await started(real_time, Start(wake_at=machine_now() + 7 * DAY))
        await until_timers(handle, 1)
        await handle.signal(Signal.CLOCK_MOVED, clock.leap_by(8 * DAY))
        assert await handle.result() == Outcome(came=False, leap_number=1)
    assert clock.reads_count == 1


async def test_a_leap_that_does_not_reach_the_moment_arms_a_new_timer(real_time: Client):
    clock = DatabaseClock(machine_now)
    async with working(real_time, clock):
        handle = await started(real_time, Start(wake_at=machine_now() + 7 * DAY))
        await until_timers(handle, 1)
        await handle.signal(Signal.CLOCK_MOVED, clock.leap_by(3 * DAY))
        await until_timers(handle, 2)
        assert clock.reads_count == 0
        await handle.signal(Signal.CLOCK_MOVED, clock.leap_by(5 * DAY))
        assert await handle.result() == Outcome(came=False, leap_number=2)


@pytest.mark.parametrize(
    "stale", [Leap(number=1, offset_us=0), Leap(number=2, offset_us=microseconds(30 * DAY))]
)
async def test_a_stale_signal_changes_nothing(real_time: Client, stale: Leap):
    known = Leap(number=2, offset_us=0)
    clock = DatabaseClock(machine_now, leap=known)
    async with working(real_time, clock):
        handle = await started(real_time, Start(wake_at=machine_now() + 7 * DAY, leap=known))
        await until_timers(handle, 1)
        await handle.signal(Signal.CLOCK_MOVED, stale)
        assert await handle.query(WaitOnce.knows) == 2
        assert (await timers_started(handle), clock.reads_count) == (1, 0)
        await handle.signal(WaitOnce.papers, stale)
        assert await handle.result() == Outcome(came=True, leap_number=2)


async def test_a_told_leap_is_not_believed_before_the_database_confirms_it(real_time: Client):
    clock = DatabaseClock(machine_now)
    async with working(real_time, clock):
        handle = await started(real_time, Start(wake_at=machine_now() + 7 * DAY))
        await until_timers(handle, 1)
        await handle.signal(Signal.CLOCK_MOVED, Leap(number=1, offset_us=microseconds(8 * DAY)))
        await until_timers(handle, 3)
        assert (await handle.describe()).close_time is None
        clock.leap_by(8 * DAY)
        assert await handle.result() == Outcome(came=False, leap_number=1)
    assert clock.reported[0] < clock.reported[-1] - 7 * DAY


async def test_the_condition_ends_the_wait_and_without_a_moment_it_is_the_only_end(real_time: Client):
    clock = DatabaseClock(machine_now)
    async with working(real_time, clock):
        for wake_at in (None, machine_now() + DAY):
            handle = await started(real_time, Start(wake_at=wake_at))
            await handle.signal(WaitOnce.papers, Leap())
            assert await handle.result() == Outcome(came=True, leap_number=0)
    assert clock.reads_count == 0


async def test_a_moment_already_past_is_found_out_at_once(real_time: Client):
    clock = DatabaseClock(machine_now)
    async with working(real_time, clock):
        handle = await started(real_time, Start(wake_at=machine_now() - DAY))
        assert await handle.result() == Outcome(came=False, leap_number=0)
        assert await timers_started(handle) == 0


async def test_a_mistake_of_ours_fails_the_workflow_visibly(real_time: Client):
    async with working(real_time, DatabaseClock(machine_now)):
        with pytest.raises(WorkflowFailureError):
            await real_time.execute_workflow(Breaks.run, id=f"breaks-{uuid4()}", task_queue=QUEUE)
