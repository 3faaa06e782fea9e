"""The floor's relay: what the system's does, without settings, shards, holds or health."""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import murmur2

PARTITIONS = 4
ROWS_PER_ROUND = 1_000
RELAY_POLL_SECONDS = 0.05
MAX_BATCH_BYTES = 256 * 1024
EVENT_ID_HEADER = "id"


def idempotent_producer(bootstrap: str) -> AIOKafkaProducer:
    """A producer with the guarantees of the system's."""
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, max_batch_size=MAX_BATCH_BYTES
    )


class Relay:
    """Publishes the outbox of one stage: nudged after each commit, polling behind that."""

    def __init__(
        self, schema: str, connection: asyncpg.Connection, producer: AIOKafkaProducer, prefix: str
    ) -> None:
        self._schema = schema
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
            by_partition[self._prefix + row["topic"], partition_of(row["key"])].append(row)
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
def partition_of(key: str) -> int:
    """As every Kafka client chooses it (cached: slow in Python)."""
    return (murmur2(key.encode()) & 0x7FFFFFFF) % PARTITIONS
