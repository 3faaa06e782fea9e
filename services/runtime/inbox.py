"""Each event acted on once per service: ids already handled, claimed in the transaction that handles them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from contracts import catalogue
from services.runtime.forgetting import rows_of

if TYPE_CHECKING:
    from services.runtime.database import Transaction

FORGOTTEN_AT_ONCE: Final = 5_000
RETENTION_FACTOR: Final = 2
"""Ids outlive the topics' records by this factor: what can still be redelivered must still be recognised."""


async def claim(driver: Any, schema: str, event_ids: Collection[UUID]) -> set[UUID]:
    """Claim the events and return those nobody has handled yet. The cases must be locked before."""
    claimed = await driver.fetch(
        f"insert into {schema}.inbox (event_id) select unnest($1::uuid[]) "
        "on conflict (event_id) do nothing returning event_id",
        list(event_ids),
    )
    return {row["event_id"] for row in claimed}


async def release(driver: Any, schema: str, event_id: UUID) -> None:
    """Forget one event, because it was parked and must be handled when it is retried."""
    await driver.execute(f"delete from {schema}.inbox where event_id = $1", event_id)


async def forget_old(tx: Transaction) -> int:
    """Delete ids no topic can redeliver any more (machine time, as topic retention is), some at once; how many."""
    longest = max((topic.retention_hours for topic in catalogue.TOPICS), default=0)
    forgotten = await tx.driver.execute(
        f"delete from {tx.service}.inbox where event_id in (select event_id from {tx.service}.inbox "
        "where handled_at < clock_timestamp() - $1::interval limit $2)",
        timedelta(hours=longest * RETENTION_FACTOR), FORGOTTEN_AT_ONCE,
    )
    return rows_of(forgotten)
