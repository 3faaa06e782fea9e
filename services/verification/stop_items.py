"""An item was withdrawn: nothing more is found out for it, and for the household once no item is left."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlmodel import col

from contracts.envelope import EventEnvelope
from contracts.events.item import ItemWithdrawn
from services.runtime.database import Transaction
from services.verification.models import (
    CheckState,
    MeansCheck,
    Verification,
    VerificationState,
    Visit,
    VisitState,
)
from services.verification.start_means_checks import cancel_questions


async def stop_items(tx: Transaction, withdrawn: Sequence[EventEnvelope[ItemWithdrawn]]) -> None:
    """Stop for these items; visit and means check go on only while another item of the case needs them."""
    await tx.session.execute(
        update(Verification).where(col(Verification.item_id).in_([envelope.item_id for envelope in withdrawn]))
        .values(state=VerificationState.WITHDRAWN)
    )
    case_ids = {envelope.case_id for envelope in withdrawn}
    left = list(await tx.session.scalars(
        select(Verification).where(col(Verification.case_id).in_(case_ids),
                                   col(Verification.state) != VerificationState.WITHDRAWN)))
    await tx.session.execute(
        update(Visit).where(col(Visit.case_id).in_(case_ids), col(Visit.state) == VisitState.ORDERED,
                            col(Visit.visit_id).not_in([item.visit_id for item in left if item.visit_id is not None]))
        .values(state=VisitState.CANCELLED)
    )
    ended = case_ids - {item.case_id for item in left}
    await cancel_questions(tx, ended)
    await tx.session.execute(
        update(MeansCheck).where(col(MeansCheck.case_id).in_(ended)).values(state=CheckState.STOPPED))
