"""The clock leapt past a wake: its workflow is told, and legal time waits until the wake was acted on."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from contracts.processes import Leap
from services.coordination.bridge import PendingSignal, enqueue
from services.runtime.context import Runtime
from services.runtime.database import Transaction
from services.runtime.loops import Loop

DUE_WAKES: Final = """
from coordination.wakes w join coordination.deadlines d using (deadline_id)
where w.woken_at is null and w.wake_at <= $1 and d.state = 'open' and d.workflow_gone_at is null
"""
NEXT_WAKE_SQL: Final = """
select min(w.wake_at) from coordination.wakes w join coordination.deadlines d using (deadline_id)
where w.woken_at is null and d.state = 'open' and d.workflow_gone_at is null
"""
TELL_SQL: Final = f"""
update coordination.deadlines set told_leap = $2
where told_leap < $2 and deadline_id in (select d.deadline_id {DUE_WAKES})
returning workflow_id, case_id
"""

async def follow_leaps(runtime: Runtime) -> int:
    """Tell workflows whose wake has come by a leap they do not know of; how many. In production nothing leaps.

    Each deadline knows the newest leap its workflow was told of, so that waits recorded while the clock leapt are
    found as well.
    """
    if runtime.settings.env == "production":
        return 0
    async with runtime.database.transaction() as tx:
        rows = await tx.driver.fetch(TELL_SQL, tx.clock.now, tx.clock.leap_number)
        told = {row["workflow_id"]: row["case_id"] for row in rows}
        await enqueue(tx, [PendingSignal(workflow_id, Leap(), case_id) for workflow_id, case_id in told.items()])
    return len(told)


async def due_wakes(runtime: Runtime) -> int:
    """Wakes whose legal moment has come and that nobody has acted on: the keeper must not leap past them."""
    async with runtime.database.transaction() as tx:
        return await tx.driver.fetchval(f"select count(*) {DUE_WAKES}", tx.clock.now)


async def next_wake(tx: Transaction) -> datetime | None:
    """The earliest moment at which a workflow has something to do; None where none waits."""
    return await tx.driver.fetchval(NEXT_WAKE_SQL)


LOOP: Final = Loop("follow_leaps", follow_leaps, due_wakes, poll_seconds=0.2)
