"""The legal clock's rows, as the keeper and the supervisor write them: leaps, and the moment saved at a stop.

Invariant: legal time never runs backward. Only `start`, on an empty clock, may choose an earlier time.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import asyncpg

# The keeper saves once a second, so after a crash the saved moment may lag this much behind.
SAVE_INTERVAL = timedelta(seconds=1)


@dataclass(frozen=True)
class ClockReading:
    """Legal time now (UTC), its offset to machine time in microseconds, and the newest leap's number."""

    legal_now: datetime
    offset_us: int
    leap_number: int


async def read(connection: asyncpg.Connection) -> ClockReading:
    """The clock as every transaction reads it."""
    row = await connection.fetchrow(
        "select clock_timestamp() as machine_now, coalesce(leap.offset_us, 0) as offset_us, "
        "coalesce(leap.number, 0) as number from (select) as one left join "
        "(select number, offset_us from clock.leaps order by number desc limit 1) as leap on true"
    )
    assert row is not None
    machine_now: datetime = row["machine_now"]
    legal_now = machine_now.astimezone(UTC) + timedelta(microseconds=row["offset_us"])
    return ClockReading(legal_now, row["offset_us"], row["number"])


async def leap(
    connection: asyncpg.Connection,
    to: datetime,
    *,
    kind: Literal["start", "leap", "restore"],
    reason: str,
) -> ClockReading:
    """Append a leap after which legal time is `to`."""
    await connection.execute(
        "insert into clock.leaps (offset_us, kind, reason) values "
        "((extract(epoch from $1::timestamptz - clock_timestamp()) * 1000000)::bigint, $2, $3)",
        to,
        kind,
        reason,
    )
    return await read(connection)


async def save(connection: asyncpg.Connection) -> None:
    """Remember the legal moment, for the next start to go on from."""
    now = (await read(connection)).legal_now
    await connection.execute(
        "insert into clock.saved (legal_at) values ($1) "
        "on conflict (only_row) do update set legal_at = greatest(excluded.legal_at, clock.saved.legal_at)",
        now,
    )


async def begin(dsn: str, legal_start: datetime | None) -> None:
    """Take up legal time where a world stopped; where it never ran, at `legal_start` (or at machine time)."""
    connection = await asyncpg.connect(dsn)
    try:
        restored = await restore(connection)
        if restored is None and legal_start is not None:
            await leap(connection, legal_start, kind="start", reason="a fresh world begins here")
    finally:
        await connection.close()


async def restore(connection: asyncpg.Connection) -> ClockReading | None:
    """Take up legal time where the stack stopped; None on a world that never ran."""
    saved_at = await connection.fetchval("select legal_at from clock.saved")
    if saved_at is None:
        return None
    return await leap(connection, saved_at + SAVE_INTERVAL, kind="restore", reason="the stack was stopped")
