"""The floor of a backlog: one consumer, the inbox, and the same rows by COPY, on aiokafka and asyncpg alone.

    FLOOR_DSN=… FLOOR_KAFKA=… FLOOR_TOPIC=… python -m benchmarks.floors.drain_awards
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

import asyncpg
import orjson
import uvloop
from aiokafka import AIOKafkaConsumer

from benchmarks.floors.stage_process import CONSUMER_POLL_MS, FETCH_WAIT_MS, RECORDS_PER_BATCH, SESSION_MS

SCHEMA: Final = "drain"
GROUP: Final = "floor-drain"
COLUMNS: Final = ("award_id", "case_id", "item_id", "jurisdiction", "epoch", "place", "benefit", "amount_fen",
                  "period", "first_month", "payee_person_id")
COUNTY_DIGITS: Final = 6

CREATE: Final = f"""
    create schema {SCHEMA};
    create table {SCHEMA}.inbox (
        event_id uuid primary key, handled_at timestamptz not null default clock_timestamp()
    );
    create table {SCHEMA}.awards (
        award_id uuid primary key, case_id uuid not null, item_id uuid not null, jurisdiction text not null,
        epoch integer not null, place text not null, benefit text not null, amount_fen bigint not null,
        period text not null, first_month date not null, last_month date, payee_person_id uuid not null
    );
    create index on {SCHEMA}.awards (case_id);
    create index on {SCHEMA}.awards (place, period, first_month);
"""
"""The inbox and the table of disbursement, with their indexes and without their checks and policies."""


async def handle(connection: asyncpg.Connection, records: Sequence[Any]) -> None:
    """Write a batch in one transaction, each event once."""
    rows = dict(map(_row, records))
    async with connection.transaction():
        claimed = await connection.fetch(
            f"insert into {SCHEMA}.inbox (event_id) select unnest($1::uuid[]) "
            "on conflict (event_id) do nothing returning event_id",
            list(rows),
        )
        await connection.copy_records_to_table(
            "awards", schema_name=SCHEMA, columns=COLUMNS, records=[rows[row["event_id"]] for row in claimed]
        )


def _row(record: Any) -> tuple[UUID, tuple[Any, ...]]:
    headers, award = dict(record.headers), orjson.loads(record.value)
    jurisdiction = headers["ce_jurisdiction"].decode()
    return UUID(headers["ce_id"].decode()), (
        UUID(award["award_id"]), UUID(record.key.decode()), UUID(headers["ce_itemid"].decode()), jurisdiction,
        int(headers["ce_epoch"]), jurisdiction[:COUNTY_DIGITS], award["benefit"], award["amount_fen"],
        award["period"], date.fromisoformat(award["first_month"]), UUID(award["payee_person_id"]),
    )


async def drain() -> None:
    """Drain the topic until SIGTERM."""
    connection = await asyncpg.connect(os.environ["FLOOR_DSN"])
    consumer = AIOKafkaConsumer(
        os.environ["FLOOR_TOPIC"], bootstrap_servers=os.environ["FLOOR_KAFKA"], group_id=GROUP,
        enable_auto_commit=False, auto_offset_reset="earliest", fetch_max_wait_ms=FETCH_WAIT_MS,
        session_timeout_ms=SESSION_MS, heartbeat_interval_ms=SESSION_MS // 3,
    )
    await consumer.start()
    try:
        while True:
            polled = await consumer.getmany(timeout_ms=CONSUMER_POLL_MS, max_records=RECORDS_PER_BATCH)
            records = [record for part in polled.values() for record in part]
            if records:
                await handle(connection, records)
                await consumer.commit()
    finally:
        await consumer.stop()


async def until_told() -> None:
    """Drain, and leave the group cleanly on SIGTERM."""
    draining = asyncio.create_task(drain())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, draining.cancel)
    await asyncio.gather(draining, return_exceptions=True)
    if not draining.cancelled():
        draining.result()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(until_told())
