"""Signals that were sent long ago are forgotten: workflows and the timeline tell what came of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from services.runtime.database import Transaction
from services.runtime.forgetting import forgetting, rows_of

KEPT_AFTER_SENDING: Final = timedelta(days=30)
FORGOTTEN_AT_ONCE: Final = 1_000


async def forget_signals(tx: Transaction) -> int:
    """Delete some of the signals sent more than 30 days ago (machine time, as `sent_at` is); how many."""
    forgotten = await tx.driver.execute(
        "delete from coordination.pending_signals where id in (select id from coordination.pending_signals "
        "where sent_at < clock_timestamp() - $1::interval order by sent_at limit $2)",
        KEPT_AFTER_SENDING, FORGOTTEN_AT_ONCE,
    )
    return rows_of(forgotten)


LOOP: Final = forgetting("forget_signals", forget_signals)
