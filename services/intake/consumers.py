"""Events in: which use case each leads to."""

from __future__ import annotations

from contracts.envelope import EventEnvelope
from contracts.events.decision import DecisionConfirmed
from services.intake.close_items import close_items
from services.runtime.consumer import Consumers
from services.runtime.database import Transaction

consumers = Consumers("intake", gathers=True)


@consumers.on(DecisionConfirmed)
async def on_decision_confirmed(tx: Transaction, events: list[EventEnvelope[DecisionConfirmed]]) -> None:
    """The item is decided."""
    await close_items(tx, events)
