"""A moment of a deadline has come: a reminder, or its end. Each is acted on once, whoever wakes how often."""

from __future__ import annotations

from typing import Any

from contracts.events.deadline import DeadlineApproaching, DeadlineKind
from contracts.http.casework import TaskKind
from contracts.processes import DUE_PERCENT, MOMENTS, WakeDue, Woken
from services.coordination import rules
from services.coordination.effects import NewTask
from services.coordination.models import DeadlineState
from services.coordination.settle_deadlines import pass_deadline, subject_of
from services.coordination.tasks import OpenTask, open_tasks
from services.coordination.timeline import tell
from services.runtime.database import Transaction
from services.runtime.problems import PermanentError


async def wake_deadline(tx: Transaction, due: WakeDue) -> Woken:
    """Remind, or say that it is too late, unless what the deadline waits for has come; the wait goes on.

    Raises PermanentError for a deadline that was never recorded.
    """
    if due.subject is not None:
        await tx.lock_cases(due.subject.case_id)
    wake = due.wake
    row = await tx.driver.fetchrow(
        "select * from coordination.deadlines where deadline_id = $1 for update", wake.deadline_id
    )
    if row is None:
        raise PermanentError(f"Deadline {wake.deadline_id}: not recorded here. Record the wait before it begins.",
                             code="deadline_unknown")
    first = await tx.driver.fetchval(
        "update coordination.wakes set woken_at = $3 where deadline_id = $1 and elapsed_percent = $2 "
        "and woken_at is null returning true",
        wake.deadline_id, wake.elapsed_percent, tx.clock.now,
    )
    if not first or row["state"] != DeadlineState.OPEN:
        return Woken(overdue=row["state"] == DeadlineState.PASSED and row["met_at"] is None)
    if DeadlineKind(row["kind"]) in MOMENTS:
        await _begin(tx, row)
        return Woken(overdue=False)
    if wake.elapsed_percent < DUE_PERCENT:
        await _remind(tx, row, wake.elapsed_percent)
        return Woken(overdue=False)
    await pass_deadline(tx, row)
    if row["kind"] == DeadlineKind.ANSWER_REFERRAL:
        await _have_it_chased(tx, row)
    return Woken(overdue=True)


async def _begin(tx: Transaction, row: Any) -> None:
    """The moment is there. A pay day is over with it; a notice when approval says that it ended."""
    if row["kind"] == DeadlineKind.PAY:
        await tx.driver.execute(
            "update coordination.deadlines set state = 'met', met_at = $2 where deadline_id = $1",
            row["deadline_id"], tx.clock.now,
        )


async def _remind(tx: Transaction, row: Any, elapsed_percent: int) -> None:
    event = DeadlineApproaching(deadline_id=row["deadline_id"], kind=DeadlineKind(row["kind"]),
                                due_at=row["due_at"], elapsed_percent=elapsed_percent, waits_on=row["waits_on"])
    await tell(tx, event, subject_of(row))


async def _have_it_chased(tx: Transaction, row: Any) -> None:
    place = rules.escalated_to(row["owner"] or row["jurisdiction"])
    task = NewTask(TaskKind.CHASE_REFERRAL, row["item_id"], place)
    await open_tasks(tx, [OpenTask(row["case_id"], row["item_id"], task)])
