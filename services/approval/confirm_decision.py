"""Confirming a proposed decision: always a named officer's command (审核确认)."""

from __future__ import annotations

from uuid import UUID

import structlog

from contracts.benefits import Benefit
from contracts.events.decision import DecisionConfirmed, Outcome, Period
from services import rulebook
from services.approval import rules
from services.approval.awards import Grant, start_awards
from services.approval.end_public_notice import end_if_over
from services.approval.models import DecisionRow, DecisionState, ItemState
from services.approval.stored import decision_of, item_of, lock_decision, refused, subject_of
from services.runtime.database import Transaction

log = structlog.get_logger(__name__)


async def confirm_decision(tx: Transaction, decision_id: UUID, officer: rules.Officer) -> DecisionRow:
    """Confirm a proposal whose public notice has ended; the award of a grant starts here.

    The same officer confirming again gets the same answer and nothing happens twice. Raises Problem: 404 where the
    decision is not in sight, 403 or 409 where the rules refuse (rules.RefusalCode).
    """
    decision, item_row, notice = await lock_decision(tx, decision_id)
    item = item_of(item_row)
    verdict = rules.confirm(decision_of(decision, notice), item, officer, on=tx.clock.today)
    if isinstance(verdict, rules.Refusal):
        raise refused(verdict)
    if verdict.repeated:
        return decision
    if notice is not None:
        # Its days are over by date; whether the workflow has said so yet makes no difference.
        end_if_over(tx, notice, item)
    decision.state = DecisionState.CONFIRMED.value
    decision.confirmed_at = tx.clock.now
    decision.confirmed_by = officer.officer_id
    item_row.state = ItemState.CONFIRMED.value
    grant = _grant(decision, item, tx)
    if grant is not None:
        decision.first_month = grant.first_month
    await tx.session.flush()
    tx.record(_confirmed(decision), subject_of(item))
    if grant is not None:
        await start_awards(tx, [grant])
    log.info("decision.confirmed", decision_id=str(decision_id), outcome=decision.outcome)
    return decision


def _grant(decision: DecisionRow, item: rules.Item, tx: Transaction) -> Grant | None:
    if decision.outcome != Outcome.GRANT or decision.amount_fen is None:
        return None
    period = Period(str(decision.period))
    today = tx.clock.today
    monthly = period is Period.MONTHLY
    first_month = rulebook.first_month(item.benefit, item.owner, today) if monthly else today.replace(day=1)
    return Grant(item, decision.decision_id, decision.amount_fen, period, first_month)


def _confirmed(decision: DecisionRow) -> DecisionConfirmed:
    return DecisionConfirmed.model_validate({
        "decision_id": decision.decision_id,
        "benefit": Benefit(decision.benefit),
        "outcome": decision.outcome,
        "amount_fen": decision.amount_fen,
        "period": decision.period,
        "first_month": decision.first_month,
        "confirmed_at": decision.confirmed_at,
        "confirmed_by": decision.confirmed_by,
        "reasons": decision.explanation["reasons"],
        "small_sum": decision.small_sum,
    })
