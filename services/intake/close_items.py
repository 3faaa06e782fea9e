"""Use case: a decided item is open no longer, so that the person may ask for the benefit again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from contracts.envelope import EventEnvelope
from contracts.events.decision import DecisionConfirmed
from services.runtime.database import Transaction

CLOSE: Final = (
    "update intake.items set ended_at = decided.confirmed_at "
    "from unnest($1::uuid[], $2::timestamptz[]) as decided (item_id, confirmed_at) "
    "where items.item_id = decided.item_id and items.ended_at is null"
)


async def close_items(tx: Transaction, events: Sequence[EventEnvelope[DecisionConfirmed]]) -> None:
    """Close the items that these decisions end, granted or refused. Closing twice changes nothing."""
    await tx.driver.execute(
        CLOSE, [event.item_id for event in events], [event.data.confirmed_at for event in events]
    )
