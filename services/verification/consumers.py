"""Events in: each names its use case."""

from __future__ import annotations

from contracts.envelope import EventEnvelope
from contracts.events.authorisation import AuthorisationRevoked, AuthorisationSigned
from contracts.events.item import ItemAccepted, ItemWithdrawn
from services.runtime.consumer import Consumers
from services.runtime.database import Transaction
from services.verification.open_means_checks import open_means_checks
from services.verification.start_means_checks import keep_authorisations, revoke_authorisations
from services.verification.stop_items import stop_items

consumers = Consumers("verification")


@consumers.on(ItemAccepted)
async def on_item_accepted(tx: Transaction, events: list[EventEnvelope[ItemAccepted]]) -> None:
    """Find out what must be known about the household."""
    await open_means_checks(tx, events)


@consumers.on(AuthorisationSigned)
async def on_authorisation_signed(tx: Transaction, events: list[EventEnvelope[AuthorisationSigned]]) -> None:
    """Ask the sources once everybody is covered by a letter."""
    await keep_authorisations(tx, events)


@consumers.on(AuthorisationRevoked)
async def on_authorisation_revoked(tx: Transaction, events: list[EventEnvelope[AuthorisationRevoked]]) -> None:
    """Ask nothing more."""
    await revoke_authorisations(tx, events)


@consumers.on(ItemWithdrawn)
async def on_item_withdrawn(tx: Transaction, events: list[EventEnvelope[ItemWithdrawn]]) -> None:
    """Find out nothing more for this item."""
    await stop_items(tx, events)
