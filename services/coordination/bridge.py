"""From events to workflows: signals written with the change that causes them, sent in order per case afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final
from uuid import UUID

import structlog
from temporalio.client import Client

from contracts.processes import (
    WORKFLOW_QUEUE,
    DecisionConfirmedSignal,
    DecisionProposedSignal,
    EvidenceMissingSignal,
    ItemStarted,
    ItemWithdrawnSignal,
    Leap,
    Message,
    PaymentRunStarted,
    ReferralAnsweredSignal,
    ReferralStarted,
    Signal,
    WorkflowName,
)
from services.coordination import bulk
from services.coordination.models import SignalKind
from services.coordination.touched_workflows import TouchedWorkflows
from services.runtime.clock import LegalMoment
from services.runtime.context import Runtime
from services.runtime.database import Transaction
from services.runtime.loops import Loop
from services.runtime.problems import Unavailable, error_trace
from services.runtime.temporal import Delivery, signal_workflow, start_or_signal

log = structlog.get_logger(__name__)

LOOP: Final = "drain_signals"
ROWS_PER_ROUND: Final = 200
CASES_AT_ONCE: Final = 16
POLL_SECONDS: Final = 0.25
LOCK_KEY: Final = 0x6272_6964_6765  # "bridge"

STARTS: Final[dict[type[Message], WorkflowName]] = {
    ItemStarted: WorkflowName.ITEM,
    ReferralStarted: WorkflowName.REFERRAL,
    PaymentRunStarted: WorkflowName.PAYMENT_RUN,
}
SIGNALS: Final[dict[type[Message], Signal]] = {
    DecisionProposedSignal: Signal.DECISION_PROPOSED,
    DecisionConfirmedSignal: Signal.DECISION_CONFIRMED,
    EvidenceMissingSignal: Signal.EVIDENCE_MISSING,
    ItemWithdrawnSignal: Signal.ITEM_WITHDRAWN,
    ReferralAnsweredSignal: Signal.REFERRAL_ANSWERED,
    Leap: Signal.CLOCK_MOVED,
}
MESSAGES: Final[dict[str, type[Message]]] = {
    **{name.value: message for message, name in STARTS.items()},
    **{name.value: message for message, name in SIGNALS.items()},
}


@dataclass(frozen=True)
class PendingSignal:
    """A word to one workflow. A message that starts one is its start argument."""

    workflow_id: str
    message: Message
    case_id: UUID | None


@dataclass(frozen=True)
class _Row:
    id: int
    queue: str
    workflow_id: str
    kind: str
    name: str
    message: dict[str, Any]


async def enqueue(tx: Transaction, signals: Sequence[PendingSignal]) -> None:
    """Write signals in this order, in the transaction of what they tell of."""
    rows = [_written(signal) for signal in signals]
    await bulk.insert(tx, "pending_signals", rows)
    if rows:
        tx.nudge(LOOP)


def leap_of(moment: LegalMoment) -> Leap:
    """The clock of a transaction as workflows are told it."""
    microseconds = moment.offset.days * 86_400_000_000 + moment.offset.seconds * 1_000_000
    return Leap(number=moment.leap_number, offset_us=microseconds + moment.offset.microseconds)


class Bridge:
    """Sends pending signals: serially per case, many cases at once."""

    def __init__(self, touched: TouchedWorkflows) -> None:
        self._touched = touched

    def loop(self) -> Loop:
        """The process's loop; pending are unsent rows and workflows still at work on what they were told."""
        # Every signal nudges; the poll is for rows that a dead process left.
        return Loop(LOOP, self.drain, self.pending, poll_seconds=POLL_SECONDS)

    async def drain(self, runtime: Runtime) -> int:
        """Send what there is; how many. Raises Unavailable while Temporal is down, or why a case is held: rows stay."""
        async with runtime.database.transaction() as tx:
            # Hazard: a second bridge would send one case's signals side by side, out of order.
            if not await tx.driver.fetchval("select pg_try_advisory_xact_lock($1)", LOCK_KEY):
                return 0
            sent_count, held, failure = 0, set[str](), None
            while rows := await _unsent(tx, held):
                client = await runtime.temporal.client()
                sent, failed = await self._send_all(client, rows, leap_of(tx.clock))
                await _note_deliveries(tx, sent)
                sent_count += len(sent)
                sent_ids = {row.id for row, _ in sent}
                held |= {row.queue for row in rows if row.id not in sent_ids}
                failure = failed or failure
                # Hazard: held cases may fill a round, and every later one: whoever comes behind them is sent to now.
                if not held or isinstance(failed, Unavailable):
                    break
        if failure is not None:
            raise failure
        return sent_count

    async def pending(self, runtime: Runtime) -> int:
        """Rows not sent yet, and workflows told something since the last leap that still have work to do."""
        async with runtime.database.transaction() as tx:
            unsent = await tx.driver.fetchval(
                "select count(*) from coordination.pending_signals where sent_at is null"
            )
        return unsent + await self._touched.busy(runtime)

    async def _send_all(
        self, client: Client, rows: Sequence[_Row], leap: Leap
    ) -> tuple[list[tuple[_Row, Delivery]], Exception | None]:
        """What was sent, and the failure to tell of: Temporal's absence before that of a single case."""
        slots = asyncio.Semaphore(CASES_AT_ONCE)
        sent: list[tuple[_Row, Delivery]] = []
        away: list[Unavailable] = []
        held: list[Exception] = []

        async def send_case(of_case: Sequence[_Row]) -> None:
            async with slots:
                for row in of_case:
                    if away:
                        return  # Temporal is away: nobody else needs to find that out by a timeout of their own
                    try:
                        sent.append((row, await self._send(client, row, leap)))
                    except Unavailable as unavailable:
                        away.append(unavailable)
                    except Exception as error:
                        # A word that cannot be sent holds its own case, so that order holds; the others go on.
                        log.error("signal.held", workflow_id=row.workflow_id, signal=row.name, **error_trace(error))
                        held.append(error)
                        return

        in_queues = sorted(rows, key=lambda row: (row.queue, row.id))
        by_case = [list(group) for _, group in groupby(in_queues, key=lambda row: row.queue)]
        await asyncio.gather(*map(send_case, by_case))
        return sent, next(iter([*away, *held]), None)

    async def _send(self, client: Client, row: _Row, leap: Leap) -> Delivery:
        kind = MESSAGES[row.name]
        message = leap if kind is Leap else kind.model_validate({**row.message, "leap": leap})
        if row.kind == SignalKind.START:
            delivery = await start_or_signal(client, row.name, message, workflow_id=row.workflow_id,
                                             task_queue=WORKFLOW_QUEUE)
        else:
            delivery = await signal_workflow(client, row.workflow_id, row.name, message)
        if delivery is Delivery.ENDED:
            log.info("signal.too_late", workflow_id=row.workflow_id, signal=row.name)
        # While it is being sent the row itself counts as pending; from now on the workflow may be at work.
        self._touched.add(row.workflow_id)
        return delivery


def _written(signal: PendingSignal) -> dict[str, Any]:
    kind = type(signal.message)
    start = STARTS.get(kind)
    return {
        "case_id": signal.case_id,
        "workflow_id": signal.workflow_id,
        "kind": SignalKind.START if start else SignalKind.SIGNAL,
        "name": start or SIGNALS[kind],
        "message": signal.message.model_dump(mode="json", exclude={"leap"}),
    }


async def _unsent(tx: Transaction, held: Collection[str]) -> list[_Row]:
    """The oldest words not sent yet, but for those of queues that something holds."""
    found = await tx.driver.fetch(
        "select id, coalesce(case_id::text, workflow_id) as queue, workflow_id, kind, name, message "
        "from coordination.pending_signals where sent_at is null "
        "and coalesce(case_id::text, workflow_id) <> all($2) order by id limit $1",
        ROWS_PER_ROUND, list(held),
    )
    return [_Row(**dict(row)) for row in found]


async def _note_deliveries(tx: Transaction, sent: Sequence[tuple[_Row, Delivery]]) -> None:
    await tx.driver.execute(
        "update coordination.pending_signals as p set sent_at = clock_timestamp(), delivery = s.delivery "
        "from unnest($1::bigint[], $2::text[]) as s (id, delivery) where p.id = s.id",
        [row.id for row, _ in sent],
        [str(delivery) for _, delivery in sent],
    )
    gone = sorted({row.workflow_id for row, delivery in sent
                   if row.name == Signal.CLOCK_MOVED and delivery is Delivery.ENDED})
    if gone:
        log.warning("workflow.gone", workflow_ids=gone)
        await mark_gone(tx, gone)


async def mark_gone(tx: Transaction, workflow_ids: Sequence[str]) -> None:
    """Nobody acts on the waits of these workflows any more.

    They would hold the clock for ever; what they waited for is told by events all the same.
    """
    await tx.driver.execute(
        "update coordination.deadlines set workflow_gone_at = $2 "
        "where workflow_id = any($1) and workflow_gone_at is null",
        workflow_ids, tx.clock.now,
    )
