"""Proposals that give way to another decision before anyone confirmed them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import update
from sqlmodel import col

from services.approval.models import DecisionRow, DecisionState, NoticeRow, NoticeState
from services.runtime.database import Transaction


async def supersede_proposals(tx: Transaction, decision_ids: Sequence[UUID]) -> None:
    """Mark unconfirmed proposals as superseded and take their notices down."""
    if not decision_ids:
        return
    await tx.session.execute(
        update(DecisionRow)
        .where(col(DecisionRow.decision_id).in_(decision_ids), col(DecisionRow.state) == DecisionState.PROPOSED)
        .values(state=DecisionState.SUPERSEDED.value)
    )
    await tx.session.execute(
        update(NoticeRow)
        .where(col(NoticeRow.decision_id).in_(decision_ids), col(NoticeRow.state) == NoticeState.OPEN)
        .values(state=NoticeState.CLOSED.value)
    )
