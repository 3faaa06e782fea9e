"""One change at a time to what is open for a person: locks on persons and on idempotency keys."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from services.runtime.database import Transaction

LOCK_KEY_BYTES: Final = 8


async def lock(tx: Transaction, digests: Iterable[bytes]) -> None:
    """Lock what these digests stand for (blind indexes of persons, hashes) until the end of the transaction.

    Hazard: the lock must be a statement of its own, before anything is read. In one statement with the reading
    the snapshot would be older than the lock, and what the other transaction just committed would not be seen.
    """
    keys = {int.from_bytes(digest[:LOCK_KEY_BYTES], "big", signed=True) for digest in digests}
    # Sorted: two transactions that want the same locks must take them in the same order.
    await tx.driver.execute(
        "select from unnest($1::bigint[]) as key where pg_advisory_xact_lock(key) is null", sorted(keys)
    )
