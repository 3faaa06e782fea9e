"""The floor: a bare pipeline of the same four hops, on aiokafka and asyncpg alone. One process per stage.

It writes as many rows per case and stage as the small emergency does and gives the same guarantees: a transaction
per batch, an inbox, an outbox with a relay under an advisory lock, acknowledged batches in order per partition.
It has no framework, no rules, no encryption, and nobody who only follows the case.

    python -m benchmarks.floor approval
    python -m benchmarks.floor intake --cases 300 --batch 200
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

import asyncpg
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.partitioner import murmur2

from benchmarks.pace import moments
from contracts.envelope import new_id

PARTITIONS = 4
RECORDS_PER_BATCH = 500
ROWS_PER_ROUND = 1_000
RELAY_POLL_SECONDS = 0.05
CONSUMER_POLL_MS = 200
FETCH_WAIT_MS = 100
SESSION_MS = 6_000
MAX_BATCH_BYTES = 256 * 1024
BODY = "x" * 200
"""About what a row of ours carries besides its ids."""
EVENT = b"x" * 700
"""About the size of our events, headers included."""

EVENT_ID_HEADER = "id"


@dataclass(frozen=True)
class Stage:
    """One hop: the topic it reads, rows per case by table, and the topics it writes one event per case to.

    Topics are named without the prefix that keeps one run's apart from another's.
    """

    name: str
    consumes: str | None
    rows: Mapping[str, int]
    publishes: tuple[str, ...] = ()


STAGES = {
    stage.name: stage
    for stage in (
        Stage("intake", None, {"persons": 1, "cases": 1, "households": 1, "members": 1, "applications": 1,
                               "items": 1, "vault_entries": 4}, ("application", "item")),
        Stage("approval", "item", {"items": 1, "decisions": 1, "awards": 1},
              ("decision", "award")),
        Stage("disbursement", "award", {"awards": 1, "payments": 1, "postings": 2}, ("payment",)),
        Stage("bank", "payment", {"vault_accesses": 1, "accepted": 1}),
    )
}
TOPICS = tuple(topic for stage in STAGES.values() for topic in stage.publishes)


@dataclass(frozen=True)
class Message:
    """One event of one case."""

    event_id: UUID
    case_id: UUID


async def handle(connection: asyncpg.Connection, stage: Stage, batch: Sequence[Message]) -> int:
    """Handle a batch in one transaction, each event once; how many were new."""
    async with connection.transaction():
        claimed = await connection.fetch(
            f"insert into {stage.name}.inbox (event_id) select unnest($1::uuid[]) "
            "on conflict (event_id) do nothing returning event_id",
            [message.event_id for message in batch],
        )
        fresh = {row["event_id"] for row in claimed}
        cases = [message.case_id for message in batch if message.event_id in fresh]
        for table, per_case in stage.rows.items():
            await connection.copy_records_to_table(
                table, schema_name=stage.name, columns=("row_id", "case_id", "body"),
                records=[(new_id(), case_id, BODY) for case_id in cases for _ in range(per_case)],
            )
        if stage.publishes:
            await connection.copy_records_to_table(
                "outbox", schema_name=stage.name, columns=("event_id", "topic", "key", "value"),
                records=[(new_id(), topic, str(case_id), EVENT) for case_id in cases for topic in stage.publishes],
            )
    return len(cases)


class Relay:
    """Publishes the outbox of one stage: nudged after each commit, polling behind that."""

    def __init__(
        self, stage: Stage, connection: asyncpg.Connection, producer: AIOKafkaProducer, prefix: str
    ) -> None:
        self._schema = stage.name
        self._prefix = prefix
        self._connection = connection
        self._producer = producer
        self._nudged = asyncio.Event()

    def nudge(self) -> None:
        """Something was committed."""
        self._nudged.set()

    async def run(self) -> None:
        """Publish until cancelled."""
        while True:
            self._nudged.clear()
            if not await self.publish():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._nudged.wait(), RELAY_POLL_SECONDS)

    async def publish(self) -> int:
        """One round; how many events were sent."""
        async with self._connection.transaction():
            lock = zlib.crc32(self._schema.encode())
            if not await self._connection.fetchval("select pg_try_advisory_xact_lock($1)", lock):
                return 0
            # A statement of its own: its snapshot must be younger than the lock.
            rows = await self._connection.fetch(
                f"select id, event_id, topic, key, value from {self._schema}.outbox order by id limit $1",
                ROWS_PER_ROUND,
            )
            if rows:
                await self._send(rows)
                await self._connection.execute(
                    f"delete from {self._schema}.outbox where id = any($1)", [row["id"] for row in rows]
                )
        return len(rows)

    async def _send(self, rows: Sequence[asyncpg.Record]) -> None:
        by_partition: defaultdict[tuple[str, int], list[asyncpg.Record]] = defaultdict(list)
        for row in rows:
            by_partition[self._prefix + row["topic"], _partition(row["key"])].append(row)
        await asyncio.gather(*(self._send_in_order(*place, part) for place, part in by_partition.items()))

    async def _send_in_order(self, topic: str, partition: int, rows: Sequence[asyncpg.Record]) -> None:
        batch = self._producer.create_batch()
        for row in rows:
            record = {"timestamp": None, "key": row["key"].encode(), "value": row["value"],
                      "headers": [(EVENT_ID_HEADER, row["event_id"].bytes)]}
            if batch.append(**record) is None:
                await self._deliver(batch, topic, partition)
                batch = self._producer.create_batch()
                batch.append(**record)
        await self._deliver(batch, topic, partition)

    async def _deliver(self, batch: Any, topic: str, partition: int) -> None:
        batch.close()
        await (await self._producer.send_batch(batch, topic, partition=partition))


@lru_cache(maxsize=65_536)
def _partition(key: str) -> int:
    return (murmur2(key.encode()) & 0x7FFFFFFF) % PARTITIONS


async def consume(stage: Stage, dsn: str, relay: Relay, *, bootstrap: str, prefix: str) -> None:
    """Handle the stage's topic until cancelled."""
    connection = await asyncpg.connect(dsn)
    consumer = AIOKafkaConsumer(
        f"{prefix}{stage.consumes}", bootstrap_servers=bootstrap, group_id=prefix + stage.name,
        enable_auto_commit=False, auto_offset_reset="earliest", fetch_max_wait_ms=FETCH_WAIT_MS,
        session_timeout_ms=SESSION_MS, heartbeat_interval_ms=SESSION_MS // 3,
    )
    await consumer.start()
    try:
        while True:
            polled = await consumer.getmany(timeout_ms=CONSUMER_POLL_MS, max_records=RECORDS_PER_BATCH)
            batch = [_message(record) for records in polled.values() for record in records]
            if batch:
                await handle(connection, stage, batch)
                relay.nudge()
                await consumer.commit()
    finally:
        await consumer.stop()


def _message(record: Any) -> Message:
    return Message(UUID(bytes=dict(record.headers)[EVENT_ID_HEADER]), UUID(record.key.decode()))


async def load(dsn: str, relay: Relay, *, cases: int, batch: int, per_second: float | None, hands: int) -> None:
    """Hand in made-up cases and note when the first was handed in."""
    messages = [Message(new_id(), new_id()) for _ in range(cases)]
    connections = [await asyncpg.connect(dsn) for _ in range(hands)]

    async def hand_in(connection: asyncpg.Connection, part: Sequence[Message]) -> None:
        async for some in moments(part, batch=batch, per_second=per_second):
            await handle(connection, STAGES["intake"], some)
            relay.nudge()

    await connections[0].execute("insert into intake.loads (started_at) values (clock_timestamp())")
    await asyncio.gather(*(hand_in(hand, messages[number::hands]) for number, hand in enumerate(connections)))


async def run(stage: Stage, arguments: argparse.Namespace) -> None:
    """One stage until SIGTERM."""
    dsn, bootstrap, prefix = (os.environ[f"FLOOR_{name}"] for name in ("DSN", "KAFKA", "PREFIX"))
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, max_batch_size=MAX_BATCH_BYTES
    )
    await producer.start()
    relay = Relay(stage, await asyncpg.connect(dsn), producer, prefix)
    tasks = [asyncio.create_task(relay.run())] if stage.publishes else []
    if stage.consumes:
        tasks.append(asyncio.create_task(consume(stage, dsn, relay, bootstrap=bootstrap, prefix=prefix)))
    else:
        tasks.append(asyncio.create_task(load(
            dsn, relay, cases=arguments.cases, batch=arguments.batch, per_second=arguments.per_second,
            hands=arguments.hands,
        )))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    stopping = asyncio.create_task(stop.wait())
    running = {*tasks, stopping}
    while stopping in running:
        done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for task in done - {stopping}:
            task.result()  # a stage that fails ends the process
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    await producer.stop()


def main() -> None:
    """Run the stage named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--cases", type=int, default=0)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--hands", type=int, default=1)
    parser.add_argument("--per-second", type=float, default=None)
    arguments = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(STAGES[arguments.stage], arguments))


if __name__ == "__main__":
    main()
