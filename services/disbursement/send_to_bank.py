"""The bank adapter: orders go out in batches, idempotent by payment id; what the bank says is recorded.

A crash between sending and recording sends the same orders again; the bank answers them as before.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import func, select
from sqlmodel import col

from contracts.envelope import Subject, new_id
from contracts.events.payment import PaymentReturned
from contracts.http.bank import BatchResult, OrderResult, OrderStatus, PaymentBatch, PaymentOrder
from contracts.http.vault import Purpose, SealRequest, VaultField
from services.disbursement import rules
from services.disbursement.instruct_payments import BANK_LOOP
from services.disbursement.ledger import Transfer, post
from services.disbursement.models import PaymentRow
from services.disbursement.rules import PaymentState
from services.runtime.database import Transaction
from services.runtime.process import Loop, Runtime
from services.runtime.vault_client import seal_known

log = structlog.get_logger(__name__)

ORDERS_PER_BATCH: Final = 500
BANK: Final = "bank"
FIELDS: Final = (VaultField.NAME, VaultField.BANK_ACCOUNT)
NO_ACCOUNT: Final = "no_account"
PAYEE_UNKNOWN: Final = "payee_unknown"
WAITING: Final = (
    select(col(PaymentRow.payment_id), col(PaymentRow.case_id), col(PaymentRow.payee_person_id),
           col(PaymentRow.amount_fen), col(PaymentRow.benefit), col(PaymentRow.period))
    .where(col(PaymentRow.state) == PaymentState.INSTRUCTED)
    .order_by(col(PaymentRow.payment_id)).limit(ORDERS_PER_BATCH)
)
"""What the bank has yet to be told, oldest first."""


async def send_to_bank(runtime: Runtime) -> int:
    """Send one batch of instructed payments; return how many the bank has answered."""
    async with runtime.database.transaction() as tx:
        waiting = (await tx.session.execute(WAITING)).all()
        legal_now = tx.clock.now
    if not waiting:
        return 0
    sealed = await seal_known(
        runtime, purpose=Purpose.PAYMENT, recipient=BANK, fields=FIELDS,
        persons=[SealRequest(person_id=row.payee_person_id, case_id=row.case_id) for row in waiting],
    )
    orders = [
        PaymentOrder(payment_id=row.payment_id, amount_fen=row.amount_fen, payee=payee.jwe, purpose=row.benefit,
                     period=row.period)
        for row, payee in zip(waiting, sealed, strict=True) if payee is not None and not payee.missing
    ]
    # Hazard: a payee who cannot be paid must not hold up the payments of all others, batch after batch.
    results = [OrderResult(payment_id=row.payment_id, status=OrderStatus.REJECTED,
                           reason_code=NO_ACCOUNT if payee else PAYEE_UNKNOWN)
               for row, payee in zip(waiting, sealed, strict=True) if payee is None or payee.missing]
    if orders:
        batch = PaymentBatch(batch_id=new_id(), legal_time=legal_now, orders=orders)
        client = runtime.client(runtime.url_of(BANK), BANK)
        response = await client.post("/payment-batches", batch, idempotent=True)
        results += BatchResult.model_validate_json(response.content).results
    known = {row.payment_id for row in waiting}
    async with runtime.database.transaction() as tx:
        await record_results(tx, [result for result in results if result.payment_id in known])
    return len(results)


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
    """How many payments the bank has not answered yet."""
    async with runtime.database.transaction() as tx:
        count = await tx.session.scalar(
            select(func.count()).where(col(PaymentRow.state) == PaymentState.INSTRUCTED))
    return count or 0


loop = Loop(BANK_LOOP, send_to_bank, unsent, poll_seconds=0.2)
