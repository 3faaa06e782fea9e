"""The bank's statement: each line is taken once, and moves the ledger only where it fits its payment."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from contracts.envelope import Subject
from contracts.events.payment import PaymentReturned, PaymentSettled
from contracts.http.bank import LineKind, StatementLine
from services.disbursement import rules
from services.disbursement.ledger import Transfer, post
from services.disbursement.models import PaymentRow, StatementLineRow
from services.disbursement.recorded_waits import end_order_waits
from services.disbursement.rules import PaymentState
from services.runtime.database import Transaction

log = structlog.get_logger(__name__)


async def take_statement(tx: Transaction, lines: Sequence[StatementLine]) -> int:
    """Take new lines; return how many were new. A line that fits no payment is kept for a person to look at."""
    named = col(PaymentRow.payment_id).in_([line.payment_id for line in lines])
    await tx.lock_cases(*await tx.session.scalars(select(col(PaymentRow.case_id)).where(named)))
    rows = await tx.session.scalars(select(PaymentRow).where(named))
    payments = {row.payment_id: row for row in rows}
    taken = 0
    transfers: list[Transfer] = []
    for line in lines:
        payment = payments.get(line.payment_id)
        told = rules.Line(line.line_id, line.payment_id, line.kind, line.amount_fen)
        state = PaymentState(payment.state) if payment else None
        matched = rules.matches(told, state=state, amount_fen=payment.amount_fen if payment else None)
        if not await _is_new(tx, line, matched=matched):
            continue
        taken += 1
        if payment is None or not matched:
            log.error("statement.unexplained", line_id=str(line.line_id), payment_id=str(line.payment_id))
        else:
            transfers.append(_apply(tx, payment, line))
    await post(tx, transfers)
    # A bank that took an order without answering has now said so: nothing is to be sent again.
    await end_order_waits(tx, [transfer.payment_id for transfer in transfers])
    return taken


async def _is_new(tx: Transaction, line: StatementLine, *, matched: bool) -> bool:
    """Store the line; False where this very line was taken before."""
    statement = insert(StatementLineRow).values(
        line_id=line.line_id, payment_id=line.payment_id, kind=line.kind, amount_fen=line.amount_fen,
        booked_at=line.booked_at, matched=matched, taken_at=tx.clock.now,
        reason_code=rules.reason_code(line.reason_code),
    )
    new = await tx.session.scalar(statement.on_conflict_do_nothing().returning(col(StatementLineRow.line_id)))
    return new is not None


def _apply(tx: Transaction, payment: PaymentRow, line: StatementLine) -> Transfer:
    subject = Subject(case_id=payment.case_id, item_id=payment.item_id, jurisdiction=payment.jurisdiction,
                      owner=payment.jurisdiction, epoch=payment.epoch)
    before = PaymentState(payment.state)
    payment.ended_at = line.booked_at
    if line.kind is LineKind.SETTLED:
        payment.state = PaymentState.SETTLED
        tx.record(PaymentSettled(payment_id=payment.payment_id, award_id=payment.award_id, period=payment.period,
                                 amount_fen=payment.amount_fen, settled_at=line.booked_at), subject)
        return Transfer(payment.payment_id, payment.jurisdiction, rules.settle(payment.amount_fen))
    payment.state, payment.reason_code = PaymentState.RETURNED, rules.reason_code(line.reason_code) or "returned"
    tx.record(PaymentReturned(payment_id=payment.payment_id, award_id=payment.award_id, period=payment.period,
                              amount_fen=payment.amount_fen, reason_code=payment.reason_code), subject)
    sides = rules.give_back(payment.place, payment.benefit, payment.amount_fen, before)
    return Transfer(payment.payment_id, payment.jurisdiction, sides)
