"""Which workflows were told something since the last leap and may still be at work on it (for /quiet only)."""

from __future__ import annotations

import asyncio
from typing import Final

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from services.runtime.context import Runtime
from services.runtime.problems import Unavailable

CALLS_AT_ONCE: Final = 32

SINCE_LAST_LEAP_SQL: Final = """
with leap as (select leapt_at, offset_us from clock.leaps order by number desc limit 1)
select workflow_id from coordination.pending_signals, leap where sent_at >= leap.leapt_at
union
select d.workflow_id from coordination.wakes w join coordination.deadlines d using (deadline_id), leap
where w.woken_at >= leap.leapt_at + leap.offset_us * interval '1 microsecond'
"""


class TouchedWorkflows:
    """A set kept in memory; after a restart it is read from what was sent and woken since the last leap."""

    def __init__(self) -> None:
        self._touches: dict[str, int] = {}
        self._read = False

    def add(self, workflow_id: str) -> None:
        """This workflow has just been told something, or given an activity's result."""
        self._touches[workflow_id] = self._touches.get(workflow_id, 0) + 1

    async def busy(self, runtime: Runtime) -> int:
        """How many of them have a workflow task or an activity pending; all of them while Temporal is down.

        In production there are no leaps, so nobody asks and nothing is kept.
        """
        if runtime.settings.env == "production":
            self._touches.clear()
            return 0
        await self._read_once(runtime)
        if not self._touches:
            return 0
        try:
            client = await runtime.temporal.client()
        except Unavailable:
            return len(self._touches)
        slots = asyncio.Semaphore(CALLS_AT_ONCE)
        asked = dict(self._touches)
        answers = await asyncio.gather(*(_is_busy(client, workflow_id, slots) for workflow_id in asked))
        for (workflow_id, touches), busy in zip(asked.items(), answers, strict=True):
            # Hazard: one touched again while it was asked about may be busy by now; it is asked again next time.
            if not busy and self._touches[workflow_id] == touches:
                del self._touches[workflow_id]
        return len(self._touches)

    async def _read_once(self, runtime: Runtime) -> None:
        if self._read:
            return
        async with runtime.database.transaction() as tx:
            rows = await tx.driver.fetch(SINCE_LAST_LEAP_SQL)
        for row in rows:
            self.add(row["workflow_id"])
        self._read = True


async def _is_busy(client: Client, workflow_id: str, slots: asyncio.Semaphore) -> bool:
    async with slots:
        try:
            found = await client.get_workflow_handle(workflow_id).describe()
        except RPCError as error:
            return error.status != RPCStatusCode.NOT_FOUND
    if found.status is not WorkflowExecutionStatus.RUNNING:
        return False
    described = found.raw_description
    return described.HasField("pending_workflow_task") or bool(described.pending_activities)
