"""Events in: which use case each leads to."""

from __future__ import annotations

from contracts.envelope import EventEnvelope
from contracts.events.item import ItemAccepted, ItemWithdrawn
from contracts.events.verification import VerificationCompleted
from services.approval.propose_decisions import propose_decisions
from services.approval.take_items import take_items
from services.approval.withdraw_items import withdraw_items
from services.runtime.consumer import Consumers
from services.runtime.database import Transaction

consumers = Consumers("approval")


@consumers.on(ItemAccepted)
async def on_item_accepted(tx: Transaction, events: list[EventEnvelope[ItemAccepted]]) -> None:
    """An accepted item is ours to decide."""
    await take_items(tx, events)


@consumers.on(ItemWithdrawn)
async def on_item_withdrawn(tx: Transaction, events: list[EventEnvelope[ItemWithdrawn]]) -> None:
    """A withdrawn item is not."""
    await withdraw_items(tx, events)


@consumers.on(VerificationCompleted)
async def on_verification_completed(tx: Transaction, events: list[EventEnvelope[VerificationCompleted]]) -> None:
    """The evidence is there, or revised."""
    await propose_decisions(tx, events)
