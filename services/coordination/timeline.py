"""The timeline of every case: others' events as they come, and ours as they are recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from contracts.envelope import Event, EventEnvelope, Subject
from services.coordination import bulk
from services.coordination.effects import place_of
from services.runtime.database import Transaction


async def tell(tx: Transaction, event: Event, subject: Subject) -> EventEnvelope[Any]:
    """Record an event of ours. Raises CaseNotLocked."""
    [envelope] = await tell_all(tx, [(event, subject)])
    return envelope


async def tell_all(tx: Transaction, told: Sequence[tuple[Event, Subject]]) -> list[EventEnvelope[Any]]:
    """Record events of ours, in this order. Raises CaseNotLocked."""
    envelopes = [tx.record(event, subject) for event, subject in told]
    await write_timeline(tx, envelopes)
    return envelopes


async def write_timeline(tx: Transaction, events: Sequence[EventEnvelope[Any]]) -> None:
    """Add events to their cases' timelines: what, when and about which item, nothing personal."""
    await bulk.insert(tx, "timeline", [
        {
            "event_id": event.id,
            "case_id": event.case_id,
            "item_id": event.subject.item_id,
            "type": event.type,
            "legal_time": event.time,
            "jurisdiction": place_of(event),
        }
        for event in events
    ])
