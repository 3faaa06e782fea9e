"""The bank adapter: orders go out in batches, idempotent by payment id; what the bank says is recorded.

A crash between sending and recording sends the same orders again; the bank answers them as before. A bank that
fails again and again is left in peace by a circuit breaker (machine time), then waited for on record (legal time).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime
from itertools import zip_longest
from typing import Final
from uuid import UUID

import structlog
from asyncpg import Record
from sqlalchemy import select
from sqlmodel import col

from contracts.envelope import Subject, new_id
from contracts.events.payment import PaymentReturned
from contracts.http.bank import BatchResult, OrderResult, OrderStatus, PaymentBatch, PaymentOrder
from contracts.http.vault import Purpose, Sealed, SealRequest, VaultField
from services.disbursement import rules
from services.disbursement.instruct_payments import BANK_LOOP
from services.disbursement.ledger import Transfer, post
from services.disbursement.models import PaymentRow
from services.disbursement.recorded_waits import (
    BANK,
    MAY_BE_SENT,
    PAYMENTS,
    end_bank_wait,
    end_order_waits,
    next_wait_ends_at,
    wait_for_bank,
    wait_with_order,
)
from services.disbursement.rules import PaymentState
from services.runtime.circuit_breaker import CircuitBreaker, Phase
from services.runtime.database import Transaction
from services.runtime.outside_party import BatchRefused, PartyFailed, post_to_party, read_answer, send_apart
from services.runtime.process import Loop, Runtime
from services.runtime.vault_client import seal_known

log = structlog.get_logger(__name__)

ORDERS_PER_BATCH: Final = 250
BATCHES_PER_ROUND: Final = 4
ANSWER_SECONDS_MAX: Final = 20.0
"""For a batch and its quick repetitions."""
FIELDS: Final = (VaultField.NAME, VaultField.BANK_ACCOUNT)
NO_ACCOUNT: Final = "no_account"
PAYEE_UNKNOWN: Final = "payee_unknown"
LEFT_OUT: Final = "left_out_of_the_answer"
CONTRADICTED: Final = "answers_contradict"
WAITING: Final = (
    "select payment_id, p.case_id, payee_person_id, amount_fen, benefit, period, "
    "o.payment_id is not null as order_waited, exists (select from disbursement.bank_waits) as bank_waited "
    f"from {PAYMENTS} where {MAY_BE_SENT} order by payment_id limit $2"
)
"""What the bank has yet to be told, oldest first."""


async def send_to_bank(runtime: Runtime) -> int:
    """Send some batches of instructed payments; return how many the bank, or its absence, has dealt with.

    Raises PartyFailed while a failing bank is tried again within machine time.
    """
    breaker = runtime.breakers.towards(BANK)
    if breaker.phase is Phase.OPEN:
        return 0
    # A bank on trial is told of one batch: no account leaves the vault for an order that may not go out.
    batches_max = BATCHES_PER_ROUND if breaker.phase is Phase.CLOSED else 1
    async with runtime.database.transaction() as tx:
        waiting = await tx.driver.fetch(WAITING, tx.clock.now, ORDERS_PER_BATCH * batches_max)
        legal_now = tx.clock.now
    dealt_with = 0
    async with aclosing(_sealed_ahead(runtime, waiting)) as batches:
        async for rows, sealed in batches:
            await _send(runtime, breaker, legal_now, rows, sealed)
            dealt_with += len(rows)
            if breaker.phase is not Phase.CLOSED:
                break
    return dealt_with


async def _sealed_ahead(
    runtime: Runtime, waiting: Sequence[Record]
) -> AsyncGenerator[tuple[Sequence[Record], Sequence[Sealed | None]]]:
    """Batch after batch, each with its sealed payees; the next one is sealed while the bank is told of this one."""
    parts = [waiting[start : start + ORDERS_PER_BATCH] for start in range(0, len(waiting), ORDERS_PER_BATCH)]
    sealing = _seal_soon(runtime, parts[0]) if parts else None
    try:
        for rows, following in zip_longest(parts, parts[1:]):
            sealed = await sealing if sealing else ()
            sealing = _seal_soon(runtime, following) if following else None
            yield rows, sealed
    finally:
        if sealing is not None:
            sealing.cancel()
            await asyncio.gather(sealing, return_exceptions=True)


def _seal_soon(runtime: Runtime, rows: Sequence[Record]) -> asyncio.Task[list[Sealed | None]]:
    return asyncio.create_task(seal_known(
        runtime, purpose=Purpose.PAYMENT, recipient=BANK, fields=FIELDS,
        persons=[SealRequest(person_id=row["payee_person_id"], case_id=row["case_id"]) for row in rows],
    ))


async def _send(
    runtime: Runtime, breaker: CircuitBreaker, legal_now: datetime, rows: Sequence[Record],
    sealed: Sequence[Sealed | None],
) -> None:
    """Send one batch; a failure that opens the circuit becomes a recorded wait, any other raises PartyFailed."""
    # Hazard: a payee who cannot be paid must not hold up the payments of all others, batch after batch.
    unpayable = [OrderResult(payment_id=row["payment_id"], status=OrderStatus.REJECTED,
                             reason_code=NO_ACCOUNT if payee else PAYEE_UNKNOWN)
                 for row, payee in zip(rows, sealed, strict=True) if payee is None or payee.missing]
    if unpayable:
        async with runtime.database.transaction() as tx:
            await record_results(tx, unpayable)
    orders = [
        PaymentOrder(payment_id=row["payment_id"], amount_fen=row["amount_fen"], payee=payee.jwe,
                     purpose=row["benefit"], period=row["period"])
        for row, payee in zip(rows, sealed, strict=True) if payee is not None and not payee.missing
    ]
    if not orders:
        return
    # Only what waited has a wait to end: nothing is spent on it where all is well.
    waited = {row["payment_id"] for row in rows if row["order_waited"]}
    try:
        with breaker.attempt(PartyFailed):
            await _Sending(runtime, legal_now, waited, bank_waited=rows[0]["bank_waited"]).send(orders)
    except PartyFailed as failed:
        if breaker.phase is Phase.CLOSED:
            raise
        async with runtime.database.transaction() as tx:
            await wait_for_bank(tx, failed.reason)
        log.warning("bank.waited_for", reason=failed.reason)


class _Sending:
    """One batch on its way, in one piece where the bank takes it so."""

    def __init__(self, runtime: Runtime, legal_now: datetime, waited: set[UUID], *, bank_waited: bool) -> None:
        self._runtime = runtime
        self._legal_now = legal_now
        self._waited = waited
        self._bank_waited = bank_waited

    async def send(self, orders: Sequence[PaymentOrder]) -> None:
        """Send the orders and record the bank's word. Raises PartyFailed."""
        await send_apart(orders, self._send_batch, self._set_aside)

    async def _send_batch(self, orders: Sequence[PaymentOrder]) -> None:
        runtime = self._runtime
        batch = PaymentBatch(batch_id=new_id(), legal_time=self._legal_now, orders=list(orders))
        client = runtime.client(runtime.url_of(BANK), BANK)
        response = await post_to_party(client, "/payment-batches", batch, seconds_max=ANSWER_SECONDS_MAX,
                                       idempotent=True)
        told = rules.bank_said({order.payment_id for order in orders}, read_answer(response, BatchResult).results)
        if told.strange_count:
            log.error("bank.answered_unasked", results=told.strange_count)
        if not told.results and not told.contradicted:
            raise PartyFailed(LEFT_OUT)
        async with runtime.database.transaction() as tx:
            await record_results(tx, told.results)
            for payment_id in told.left_out:
                await wait_with_order(tx, payment_id, LEFT_OUT)
            for payment_id in told.contradicted:
                await wait_with_order(tx, payment_id, CONTRADICTED)
            if self._bank_waited:
                await end_bank_wait(tx)
            if self._waited:
                await end_order_waits(tx, self._waited.intersection(result.payment_id for result in told.results))

    async def _set_aside(self, order: PaymentOrder, fault: BatchRefused | PartyFailed) -> None:
        log.warning("order.set_aside", payment_id=str(order.payment_id), reason=fault.reason)
        async with self._runtime.database.transaction() as tx:
            await wait_with_order(tx, order.payment_id, fault.reason)


async def record_results(tx: Transaction, results: list[OrderResult]) -> None:
    """Record the bank's word on orders; a rejected order gives its money back to the budget line."""
    accepted = [result.payment_id for result in results if result.status is OrderStatus.ACCEPTED]
    if accepted:
        # One array parameter: a list of hundreds of parameters would be compiled anew for each length.
        await tx.driver.execute(
            "update disbursement.payments set state = $2, accepted_at = $3 "
            "where payment_id = any($1) and state = $4",
            accepted, PaymentState.ACCEPTED, tx.clock.now, PaymentState.INSTRUCTED,
        )
    reasons = {result.payment_id: rules.reason_code(result.reason_code) or "rejected" for result in results
               if result.status is OrderStatus.REJECTED}
    if reasons:
        await _give_back(tx, reasons)


async def _give_back(tx: Transaction, reasons: dict[UUID, str]) -> None:
    in_question = col(PaymentRow.payment_id).in_(reasons)
    await tx.lock_cases(*await tx.session.scalars(select(col(PaymentRow.case_id)).where(in_question)))
    rejected = list(await tx.session.scalars(
        select(PaymentRow).where(in_question, col(PaymentRow.state) == PaymentState.INSTRUCTED)))
    await post(tx, [
        Transfer(row.payment_id, row.jurisdiction,
                 rules.give_back(row.place, row.benefit, row.amount_fen, PaymentState.INSTRUCTED))
        for row in rejected
    ])
    for row in rejected:
        row.state, row.reason_code, row.ended_at = PaymentState.RETURNED, reasons[row.payment_id], tx.clock.now
        tx.record(
            PaymentReturned(payment_id=row.payment_id, award_id=row.award_id, period=row.period,
                            amount_fen=row.amount_fen, reason_code=reasons[row.payment_id]),
            Subject(case_id=row.case_id, item_id=row.item_id, jurisdiction=row.jurisdiction, owner=row.jurisdiction,
                    epoch=row.epoch),
        )
        log.info("payment.rejected", payment_id=str(row.payment_id), reason_code=reasons[row.payment_id])


async def unsent(runtime: Runtime) -> int:
    """How many payments the bank is to be told of now; those that wait for a legal moment are not."""
    async with runtime.database.transaction() as tx:
        return await tx.driver.fetchval(f"select count(*) from {PAYMENTS} where {MAY_BE_SENT}", tx.clock.now)


loop = Loop(BANK_LOOP, send_to_bank, unsent, poll_seconds=0.2, next_at=next_wait_ends_at)
