"""Awards as they start and end: what is given once is paid at once, what is monthly waits for its pay day."""

from __future__ import annotations

from sqlalchemy import update
from sqlmodel import col

from contracts.envelope import EventEnvelope
from contracts.events.award import AwardEnded, AwardStarted
from contracts.events.decision import Period
from services.disbursement import rules
from services.disbursement.instruct_payments import Owed, instruct_payments
from services.disbursement.models import AwardRow
from services.runtime.bulk_insert import bulk_insert
from services.runtime.database import Transaction
from services.runtime.problems import PermanentError


async def start_awards(tx: Transaction, events: list[EventEnvelope[AwardStarted]]) -> None:
    """Keep the awards, and instruct those that are given once."""
    owed = [_owed(event) for event in events]
    awards = [
        {
            "award_id": part.award_id, "case_id": part.case_id, "item_id": part.item_id,
            "jurisdiction": part.jurisdiction, "epoch": part.epoch, "place": rules.paying_place(part.jurisdiction),
            "benefit": part.benefit, "amount_fen": part.amount_fen, "period": event.data.period,
            "first_month": part.period, "payee_person_id": part.payee_person_id,
        }
        for event, part in zip(events, owed, strict=True)
    ]
    await bulk_insert(tx, {AwardRow: awards}, skip_known=frozenset({AwardRow}))
    await instruct_payments(tx, [part for event, part in zip(events, owed, strict=True)
                                 if event.data.period is Period.ONCE])


async def end_awards(tx: Transaction, events: list[EventEnvelope[AwardEnded]]) -> None:
    """Nothing is owed after the last month."""
    for event in events:
        ended = event.data
        await tx.session.execute(
            update(AwardRow).where(col(AwardRow.award_id) == ended.award_id).values(last_month=ended.last_month)
        )


def _owed(event: EventEnvelope[AwardStarted]) -> Owed:
    """The first period of an award. Raises PermanentError for an award that no district owns."""
    subject, award = event.subject, event.data
    if subject.owner is None or subject.epoch is None:
        raise PermanentError(f"Award {award.award_id} names no deciding district: nobody could answer for the money.",
                             code="award_without_owner")
    return Owed(
        award_id=award.award_id, case_id=subject.case_id, item_id=event.item_id, jurisdiction=subject.owner,
        epoch=subject.epoch, benefit=award.benefit, amount_fen=award.amount_fen, period=award.first_month,
        payee_person_id=award.payee_person_id,
    )
