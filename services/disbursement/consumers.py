"""Events in: awards."""

from __future__ import annotations

from contracts.envelope import EventEnvelope
from contracts.events.award import AwardEnded, AwardStarted
from services.disbursement import start_awards as use_cases
from services.runtime.consumer import Consumers
from services.runtime.database import Transaction

consumers = Consumers("disbursement")


@consumers.on(AwardStarted)
async def start_awards(tx: Transaction, events: list[EventEnvelope[AwardStarted]]) -> None:
    """Pay what is given once; keep the rest for its pay day."""
    await use_cases.start_awards(tx, events)


@consumers.on(AwardEnded)
async def end_awards(tx: Transaction, events: list[EventEnvelope[AwardEnded]]) -> None:
    """Stop paying after the last month."""
    await use_cases.end_awards(tx, events)
