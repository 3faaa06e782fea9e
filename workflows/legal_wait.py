"""Waiting for legal time inside a workflow: a timer knows only machine time, so it proves nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

from contracts.processes import Activity, ClockReading, Leap, Signal

READ_TIMEOUT = timedelta(seconds=5)
READ_RETRIES = RetryPolicy(
    initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=5)
)
SHORTEST_TIMER = timedelta(milliseconds=200)


class LegalWait:
    """A workflow's knowledge of legal time: machine time plus the offset of the newest leap it knows."""

    def __init__(self, leap: Leap) -> None:
        self.leap = leap

    def learn(self, leap: Leap) -> None:
        """Take over a newer leap, from whatever signal carries it; an older or equal one changes nothing.

        Every wait under way looks at its moment again at once.
        """
        if leap.number > self.leap.number:
            self.leap = leap

    def now(self) -> datetime:
        """Legal time as far as this workflow knows: good for arming a timer, not for deciding."""
        return workflow.now() + timedelta(microseconds=self.leap.offset_us)

    async def until(self, condition: Callable[[], bool], wake_at: datetime | None) -> bool:
        """Wait for `condition`, at most until legal time reaches `wake_at` (for ever where that is None).

        True when the condition came, also where it came in the same moment; False when legal time is there,
        confirmed by the database's clock. A `wake_at` already past is found out at once.
        """
        if wake_at is None:
            await workflow.wait_condition(condition)
            return True
        remaining = wake_at - self.now()
        while not condition():
            if remaining > timedelta(0) and await self._changed_within(condition, remaining):
                remaining = wake_at - self.now()
                continue
            reading = await self._read_clock()
            self.learn(reading.leap)
            if reading.legal_now >= wake_at:
                return condition()
            # Hazard: counted from the reading, not from workflow.now(): where Temporal's clock runs ahead of
            # the database's, that would give "nothing left" and ask again without a pause. Unless a leap was
            # told of while the clock was being read: then the reading is the older of the two.
            origin = reading.legal_now if reading.leap.number >= self.leap.number else self.now()
            remaining = max(wake_at - origin, SHORTEST_TIMER)
        return True

    async def _changed_within(self, condition: Callable[[], bool], remaining: timedelta) -> bool:
        """True when the condition came or the clock leapt; False when the timer fired first."""
        known = self.leap.number
        try:
            await workflow.wait_condition(lambda: condition() or self.leap.number != known, timeout=remaining)
        except TimeoutError:
            return False
        return True

    @staticmethod
    async def _read_clock() -> ClockReading:
        return await workflow.execute_local_activity(
            Activity.READ_CLOCK,
            result_type=ClockReading,
            start_to_close_timeout=READ_TIMEOUT,
            retry_policy=READ_RETRIES,
        )


class OnLegalTime:
    """Base of workflows that wait for legal time: they are told when the clock leaps.

    A subclass sets `clock` in its `@workflow.init` constructor, because a signal may be handled before `run`.
    """

    clock: LegalWait

    @workflow.signal(name=Signal.CLOCK_MOVED)
    def clock_moved(self, leap: Leap) -> None:
        """The clock leapt past a moment this workflow waits for: look at it again at once."""
        self.clock.learn(leap)
