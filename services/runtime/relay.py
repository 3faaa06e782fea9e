"""The only publisher: moves committed events from the outbox to Kafka, in order per case, each at least once.

Why order holds: a case lies in one shard, one relay at a time holds a shard (advisory lock), rows are read in id
order, and a partition gets its next batch only after the one before was acknowledged. Why nothing is lost: a row
is deleted only after its acknowledgement. A row that cannot be sent is never skipped: its topic is held and an
alarm logged until it can.
"""

# asyncpg and aiokafka carry no types.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportArgumentType=false, reportPrivateUsage=false

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import asyncpg
import orjson
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import murmur2

from services.runtime.connections import COMMAND_SECONDS, CONNECT_SECONDS
from services.runtime.database import RELAY, Database
from services.runtime.loops import Loop, backoff_seconds
from services.runtime.outbox import SHARDS
from services.runtime.problems import error_trace

if TYPE_CHECKING:
    from services.runtime.context import Runtime

log = structlog.get_logger(__name__)

ROWS_PER_ROUND: Final = 1_000
"""Bounds memory: at most this many rows of MAX_EVENT_BYTES each."""
MAX_BATCH_BYTES: Final = 256 * 1024
REQUEST_MS: Final = 5_000
KAFKA_SECONDS: Final = 5.0
ABANDON_SECONDS: Final = 2.0
"""Together shorter than a process has to stop."""
LONGEST_HOLD_SECONDS: Final = 2.0
LOCK_CLASS: Final = 0x0E1A
TURN_SECONDS: Final = 1.0
"""How long a relay keeps the shards it took: another one waits that long, and a round needs no transaction."""
FROZEN_SECONDS: Final = 30
"""After this long without a statement Postgres ends a relay's session, and with it its turn."""
POLL_SECONDS: Final = 0.05
ROUND_SECONDS: Final = 0.02
"""A round that follows on another begins no sooner: a few events cost nearly as much as hundreds. What comes after a
quiet moment goes out at once, and a backlog without rest."""


class Relay:
    """Publishes the outbox of one service. Several relays may run; each shard is served by one at a time."""

    def __init__(self, database: Database, bootstrap: str) -> None:
        self._database = database
        self._schema = database.service
        self._bootstrap = bootstrap
        self._connection: Any = None
        self._producer: AIOKafkaProducer | None = None
        self._failures: dict[str, int] = {}
        self._held_until: dict[str, float] = {}
        self._shards: list[int] = []
        self._turn_ends_at = 0.0

    def loop(self) -> Loop:
        """The loop to run: nudged by every commit that recorded an event, polling behind that."""

        rests_until = 0.0

        async def work(_runtime: Runtime) -> int:
            nonlocal rests_until
            await asyncio.sleep(max(0.0, rests_until - time.monotonic()))
            began_at = time.monotonic()
            sent_count = await self.publish()
            rests_until = began_at + ROUND_SECONDS if 0 < sent_count < ROWS_PER_ROUND else 0.0
            return sent_count

        async def pending(_runtime: Runtime) -> int:
            return await self.pending()

        return Loop(RELAY, work, pending, poll_seconds=POLL_SECONDS)

    async def publish(self) -> int:
        """Publish what waits, up to one round; how many events that was. 0 while Kafka is away.

        Raises asyncpg errors and OSError when the database is away.
        """
        held = [topic for topic, until in self._held_until.items() if until > time.monotonic()]
        connection = await self._connected()
        shards = await self._shards_to_serve(connection, held)
        if not shards:
            return 0
        # Hazard: a statement of its own. In the one that locks, the snapshot would be older than the lock, and rows
        # that another relay has just sent and deleted would be sent again.
        rows = await connection.fetch(
            f"select id, topic, key, headers, value from {self._schema}.outbox "
            "where shard = any($1) and topic <> all($2) order by id limit $3",
            shards, held, ROWS_PER_ROUND,
        )
        sent = await self._send(rows) if rows else []
        if sent:
            await connection.execute(f"delete from {self._schema}.outbox where id = any($1)", sent)
        return len(sent)

    async def _shards_to_serve(self, connection: Any, held: Sequence[str]) -> list[int]:
        """The shards of this turn; a new turn begins only when something waits."""
        if self._shards and time.monotonic() < self._turn_ends_at:
            return self._shards
        if self._shards:
            self._shards = []
            await connection.execute("select pg_advisory_unlock_all()")
        # In id order, hence along the index: Postgres passes over the entries of deleted rows there, whereas the
        # table is full of them until it is vacuumed.
        first = await connection.fetchval(
            f"select id from {self._schema}.outbox where topic <> all($1) order by id limit 1", held
        )
        if first is not None:
            # Locks of the session: they end with it at the latest, however this process dies.
            self._shards = await connection.fetchval(
                "select array_agg(shard) filter (where pg_try_advisory_lock($1, $2 + shard)) "
                "from generate_series(0, $3) as shard",
                LOCK_CLASS, _schema_lock(self._schema), SHARDS - 1,
            ) or []
            self._turn_ends_at = time.monotonic() + TURN_SECONDS
        return self._shards

    async def pending(self) -> int:
        """How many events wait."""
        async with self._database.transaction() as tx:
            return await tx.driver.fetchval(f"select count(*) from {self._schema}.outbox")

    async def close(self) -> None:
        """Let go of Kafka and the database."""
        await self._drop_producer()
        if self._connection is not None:
            await self._connection.close(timeout=CONNECT_SECONDS)
            self._connection = None

    async def _connected(self) -> Any:
        if self._connection is None or self._connection.is_closed():
            self._shards = []
            self._connection = await asyncpg.connect(
                self._database.dsn, timeout=CONNECT_SECONDS, command_timeout=COMMAND_SECONDS,
                server_settings={
                    "application_name": f"{self._schema} relay", "idle_session_timeout": f"{FROZEN_SECONDS}s",
                },
            )
        return self._connection

    async def _send(self, rows: Sequence[Any]) -> list[int]:
        """Send the rows and return the ids of those acknowledged; topics that fail are held."""
        try:
            producer = await self._ready_producer()
        except Exception as error:
            await self._hold(dict.fromkeys((row["topic"] for row in rows), error))
            return []
        by_topic: dict[str, list[Any]] = {}
        for row in rows:
            by_topic.setdefault(row["topic"], []).append(row)
        sent: list[int] = []
        outcomes = await asyncio.gather(
            *(_send_topic(producer, topic, part, sent) for topic, part in by_topic.items()),
            return_exceptions=True,
        )
        failed: dict[str, BaseException] = {}
        for topic, outcome in zip(by_topic, outcomes, strict=True):
            if isinstance(outcome, BaseException):
                failed[topic] = outcome
            else:
                self._failures.pop(topic, None)
                self._held_until.pop(topic, None)
        if failed:
            await self._hold(failed)
        return sent

    async def _ready_producer(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._bootstrap, client_id=f"{self._schema}-relay", acks="all",
                enable_idempotence=True, max_batch_size=MAX_BATCH_BYTES, request_timeout_ms=REQUEST_MS,
            )
            try:
                async with asyncio.timeout(KAFKA_SECONDS):
                    await producer.start()
            except BaseException:
                await _abandon(producer)
                raise
            self._producer = producer
        return self._producer

    async def _drop_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await _abandon(producer)

    async def _hold(self, failed: Mapping[str, BaseException]) -> None:
        # Hazard: an idempotent producer can stick in OutOfOrderSequenceNumber for ever (aiokafka#1017), and
        # after any failed batch its sequence has a gap; only a new producer is safe.
        await self._drop_producer()
        for topic, error in failed.items():
            failures = self._failures[topic] = self._failures.get(topic, 0) + 1
            self._held_until[topic] = time.monotonic() + min(LONGEST_HOLD_SECONDS, backoff_seconds(failures))
            log.error("relay.held", topic=topic, failures=failures, **error_trace(error))


async def _send_topic(
    producer: AIOKafkaProducer, topic: str, rows: Sequence[Any], sent: list[int]
) -> None:
    """Send one topic's rows, its partitions at once; raise the first failure after all have ended."""
    async with asyncio.timeout(KAFKA_SECONDS):
        partitions = len(await producer.partitions_for(topic))
    by_partition: dict[int, list[Any]] = {}
    for row in rows:
        by_partition.setdefault(key_hash(row["key"]) % partitions, []).append(row)
    outcomes = await asyncio.gather(
        *(_send_in_order(producer, topic, number, part, sent) for number, part in by_partition.items()),
        return_exceptions=True,
    )
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome


async def _send_in_order(
    producer: AIOKafkaProducer, topic: str, number: int, rows: Sequence[Any], sent: list[int]
) -> None:
    """Send one partition's rows, batch after batch; add the ids of acknowledged rows to `sent`."""
    batch, ids = producer.create_batch(), list[int]()
    for row in rows:
        headers = [(name, value.encode()) for name, value in orjson.loads(row["headers"]).items()]
        key = row["key"].encode()
        if batch.append(timestamp=None, key=key, value=row["value"], headers=headers) is None:
            await _deliver(producer, batch, topic, number)
            sent += ids
            batch, ids = producer.create_batch(), []
            batch.append(timestamp=None, key=key, value=row["value"], headers=headers)
        ids.append(row["id"])
    await _deliver(producer, batch, topic, number)
    sent += ids


async def _deliver(producer: AIOKafkaProducer, batch: Any, topic: str, partition: int) -> None:
    batch.close()
    async with asyncio.timeout(KAFKA_SECONDS):
        acknowledged = await producer.send_batch(batch, topic, partition=partition)
        await acknowledged


async def _abandon(producer: AIOKafkaProducer) -> None:
    """End a producer at once, with whatever it still holds: the rows are in the outbox.

    Hazard: `stop()` alone first delivers what is buffered, and an idempotent producer's batch never expires, so
    with Kafka away it would wait, and try to connect, for ever.
    """
    sender = producer._sender.sender_task
    producer._closed = True
    try:
        async with asyncio.timeout(ABANDON_SECONDS):
            if sender is not None:
                sender.cancel()
            await producer.client.close()
            if sender is not None:
                await asyncio.wait({sender})
    except Exception as error:
        log.info("relay.producer_not_stopped", **error_trace(error))


@lru_cache(maxsize=65_536)
def key_hash(key: str) -> int:
    """The hash by which every Kafka client chooses the partition of a key (cached: slow in Python)."""
    return murmur2(key.encode()) & 0x7FFFFFFF


@lru_cache(maxsize=64)
def _schema_lock(schema: str) -> int:
    """Where this schema's shards start in the lock space that all services of a database share."""
    return (murmur2(schema.encode()) % 2**20) * SHARDS
