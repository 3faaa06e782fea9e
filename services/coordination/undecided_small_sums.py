"""A small sum at once that its signature did not decide within an hour waits like any other item, with a deadline."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import structlog

from contracts.http.casework import TaskKind
from contracts.processes import ItemStarted, item_workflow_id
from services.coordination.bridge import PendingSignal, enqueue
from services.coordination.effects import SENT_WITH, NewTask
from services.coordination.settle_deadlines import subject_of
from services.coordination.tasks import OpenTask, open_tasks
from services.runtime.context import Runtime
from services.runtime.database import Transaction
from services.runtime.loops import Loop

log = structlog.get_logger(__name__)

DECIDED_WITHIN: Final = timedelta(hours=1)
"""Legal time from acceptance. Later than this approval is down, or has parked the acceptance as a dead letter."""
CASES_PER_ROUND: Final = 200
POLL_SECONDS: Final = 1.0
UNDECIDED: Final = "at_once and confirmed_at is null and withdrawn_at is null"


async def have_undecided_wait(runtime: Runtime) -> int:
    """Give those that are undecided for an hour a workflow, and so a deadline, and an officer's task; how many.

    Decided in the end, they end as every item does.
    """
    async with runtime.database.transaction() as tx:
        return await _have_wait(tx, tx.clock.now - DECIDED_WITHIN)


async def _have_wait(tx: Transaction, accepted_until: datetime) -> int:
    found = await tx.driver.fetch(
        f"select distinct case_id from coordination.items where {UNDECIDED} and accepted_at <= $1 limit $2",
        accepted_until, CASES_PER_ROUND,
    )
    case_ids = [row["case_id"] for row in found]
    if not case_ids:
        return 0
    await tx.lock_cases(*case_ids)
    # Only now: what was decided while we waited for the lock waits for nothing.
    items = await tx.driver.fetch(
        f"update coordination.items set at_once = false where case_id = any($1) and {UNDECIDED} "
        "and accepted_at <= $2 returning item_id, case_id, jurisdiction, owner, epoch, benefit, accepted_at",
        case_ids, accepted_until,
    )
    log.warning("small_sum.undecided", item_ids=[str(item["item_id"]) for item in items])
    await enqueue(tx, [
        PendingSignal(
            item_workflow_id(item["item_id"]),
            ItemStarted(subject=subject_of(item), benefit=item["benefit"], accepted_at=item["accepted_at"],
                        leap=SENT_WITH),
            item["case_id"],
        )
        for item in items
    ])
    await open_tasks(tx, [
        OpenTask(item["case_id"], item["item_id"],
                 NewTask(TaskKind.DECIDE_SMALL_SUM, item["item_id"], item["owner"] or item["jurisdiction"]))
        for item in items
    ])
    return len(items)


async def due(runtime: Runtime) -> int:
    """Those whose hour is over and that do not wait yet: the keeper must not leap past them."""
    async with runtime.database.transaction() as tx:
        return await tx.driver.fetchval(
            f"select count(*) from coordination.items where {UNDECIDED} and accepted_at <= $1",
            tx.clock.now - DECIDED_WITHIN,
        )


async def next_due_at(runtime: Runtime) -> datetime | None:
    """The next legal moment at which one of them begins to wait."""
    async with runtime.database.transaction() as tx:
        earliest = await tx.driver.fetchval(f"select min(accepted_at) from coordination.items where {UNDECIDED}")
    return earliest + DECIDED_WITHIN if earliest is not None else None


LOOP: Final = Loop("undecided_small_sums", have_undecided_wait, due, poll_seconds=POLL_SECONDS, next_at=next_due_at)
