"""The local activity `read_clock`: legal time as Postgres tells it, for workflows whose timer has fired."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from temporalio import activity

from contracts.processes import Activity, ClockReading, Leap

if TYPE_CHECKING:
    from services.runtime.context import Runtime


class LocalClock:
    """Runs in the workflow worker, under the role that may read the schema `clock` and nothing else."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    @property
    def activities(self) -> list[Callable[..., Any]]:
        """What to register with the worker."""
        return [self.read_clock]

    @activity.defn(name=Activity.READ_CLOCK)
    async def read_clock(self) -> ClockReading:
        """Legal time now and the leap it counts from; in production the offset is 0."""
        async with self._runtime.database.transaction() as tx:
            moment = tx.clock
        offset_us = moment.offset // timedelta(microseconds=1)
        return ClockReading(legal_now=moment.now, leap=Leap(number=moment.leap_number, offset_us=offset_us))
