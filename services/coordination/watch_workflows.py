"""A workflow that failed, or that Temporal lost, waits for nothing any more: found by looking, and said loudly."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import structlog
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from services.coordination.bridge import mark_gone
from services.runtime.context import Runtime
from services.runtime.loops import Loop
from services.runtime.problems import Unavailable

log = structlog.get_logger(__name__)

POLL_SECONDS: Final = 60.0
DEADLINES_PER_LOOK: Final = 500
FIRST: Final = UUID(int=0)
OF_PLACES_SQL: Final = """
select workflow_id from coordination.deadlines
where met_at is null and workflow_gone_at is null and item_id is null
"""
OF_ITEMS_SQL: Final = """
select item_id, workflow_id from coordination.deadlines
where met_at is null and workflow_gone_at is null and item_id > $1 order by item_id limit $2
"""


class WorkflowWatch:
    """Looks at the workflows of open deadlines, some each minute, in the order of their items and round again."""

    def __init__(self) -> None:
        self._looked_at = FIRST

    def loop(self) -> Loop:
        """The process's loop; nobody waits for what it finds."""
        return Loop("watch_workflows", self.look, _nothing_pending, poll_seconds=POLL_SECONDS)

    async def look(self, runtime: Runtime) -> int:
        """Mark the deadlines of workflows that are over or unknown; how many workflows that were."""
        async with runtime.database.transaction() as tx:
            places = await tx.driver.fetch(OF_PLACES_SQL) if self._looked_at == FIRST else []
            items = await tx.driver.fetch(OF_ITEMS_SQL, self._looked_at, DEADLINES_PER_LOOK)
        self._looked_at = items[-1]["item_id"] if len(items) == DEADLINES_PER_LOOK else FIRST
        try:
            client = await runtime.temporal.client()
            waiting = {row["workflow_id"] for row in [*places, *items]}
            gone = [workflow_id for workflow_id in sorted(waiting) if await _is_over(client, workflow_id)]
        except (Unavailable, RPCError):
            return 0  # Temporal is away: nothing can be told of any of them
        if gone:
            log.error("workflow.gone", workflow_ids=gone)
            async with runtime.database.transaction() as tx:
                await mark_gone(tx, gone)
        return len(gone)


async def _is_over(client: Client, workflow_id: str) -> bool:
    try:
        found = await client.get_workflow_handle(workflow_id).describe()
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return True
        raise
    return found.status is not WorkflowExecutionStatus.RUNNING


async def _nothing_pending(_runtime: Runtime) -> int:
    return 0
