"""Instructing payments: the ledger commits a sum to a payee, once per award and period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from contracts.benefits import Benefit
from contracts.envelope import Subject, new_id
from contracts.events.payment import PaymentInstructed
from services.disbursement import rules
from services.disbursement.ledger import Transfer, post
from services.disbursement.models import PaymentRow
from services.disbursement.rules import PaymentState
from services.runtime.bulk_insert import insert_new
from services.runtime.database import Transaction

BANK_LOOP = "bank"


@dataclass(frozen=True, slots=True)
class Owed:
    """One period of one award that is to be paid."""

    award_id: UUID
    case_id: UUID
    item_id: UUID
    jurisdiction: str
    epoch: int
    benefit: str
    amount_fen: int
    period: date
    payee_person_id: UUID


async def instruct_payments(tx: Transaction, owed: Sequence[Owed]) -> list[Owed]:
    """Instruct what is owed and return what was new. What was instructed before is passed over in silence.

    The cases must be locked.
    """
    if not owed:
        return []
    rows = {
        new_id(): {
            "award_id": part.award_id, "period": part.period, "case_id": part.case_id, "item_id": part.item_id,
            "jurisdiction": part.jurisdiction, "epoch": part.epoch, "place": rules.paying_place(part.jurisdiction),
            "benefit": part.benefit, "amount_fen": part.amount_fen, "payee_person_id": part.payee_person_id,
            "state": PaymentState.INSTRUCTED, "instructed_at": tx.clock.now,
        }
        for part in owed
    }
    new = await insert_new(
        tx, PaymentRow, [{"payment_id": payment_id, **row} for payment_id, row in rows.items()], "payment_id"
    )
    instructed = {payment_id: part for payment_id, part in zip(rows, owed, strict=True) if payment_id in new}
    await post(tx, [
        Transfer(payment_id, part.jurisdiction,
                 rules.instruct(rules.paying_place(part.jurisdiction), part.benefit, part.amount_fen))
        for payment_id, part in instructed.items()
    ])
    for payment_id, part in instructed.items():
        tx.record(
            PaymentInstructed(payment_id=payment_id, award_id=part.award_id, benefit=Benefit(part.benefit),
                              period=part.period, amount_fen=part.amount_fen),
            Subject(case_id=part.case_id, item_id=part.item_id, jurisdiction=part.jurisdiction,
                    owner=part.jurisdiction, epoch=part.epoch),
        )
    if instructed:
        tx.nudge(BANK_LOOP)
    return list(instructed.values())
