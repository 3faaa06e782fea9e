"""Withdrawn items: nothing more is decided about them."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlmodel import col

from contracts.envelope import EventEnvelope
from contracts.events.item import ItemWithdrawn
from services.approval.models import DecisionRow, DecisionState, ItemRow, ItemState, NoticeRow, NoticeState
from services.approval.take_items import item_key
from services.runtime.database import Transaction


async def withdraw_items(tx: Transaction, events: list[EventEnvelope[ItemWithdrawn]]) -> None:
    """Close each item with its open proposal and notice. What was confirmed before stands."""
    asked = [event.item_id for event in events]
    known = set(await tx.session.scalars(select(col(ItemRow.item_id)).where(col(ItemRow.item_id).in_(asked))))
    for event in events:
        # One that was never accepted has nothing here, and never will.
        if event.item_id not in known and event.data.accepted:
            tx.wait_for(event, item_key(event.item_id))
    if not known:
        return
    await tx.session.execute(
        update(ItemRow)
        .where(col(ItemRow.item_id).in_(known), col(ItemRow.state) != ItemState.CONFIRMED)
        .values(state=ItemState.WITHDRAWN.value, waits_on=None, missing=[])
    )
    await tx.session.execute(
        update(DecisionRow)
        .where(col(DecisionRow.item_id).in_(known), col(DecisionRow.state) == DecisionState.PROPOSED)
        .values(state=DecisionState.WITHDRAWN.value)
    )
    await tx.session.execute(
        update(NoticeRow)
        .where(col(NoticeRow.item_id).in_(known), col(NoticeRow.state) == NoticeState.OPEN)
        .values(state=NoticeState.CLOSED.value)
    )
