"""Outbox, relay, broker, inbox and consumer of one service, each of which can be made to die at a named moment."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from contracts import catalogue
from contracts.envelope import EventEnvelope
from services.runtime.database import Transaction
from services.runtime.dead_letter_limit import DeadLetterLimit
from services.runtime.handling import Handling
from services.runtime.relay import Relay
from tests.services.runtime.service_under_test import (
    PARTITIONS,
    Caused,
    Counted,
    ServiceUnderTest,
    a_subject,
    store_effects,
)

READ_SECONDS = 10
EFFECTS_OF_A_CAUSE = 1_000
"""An effect's number is below zero and tells its cause: -(cause * this + which effect of it)."""
Records = list[ConsumerRecord[bytes, bytes]]


class Died(BaseException):
    """The process is gone: nothing in it handles this, and its transaction is rolled back."""


class RelayFate(StrEnum):
    """What becomes of a relay that publishes."""

    LIVES = "lives"
    DIES_BEFORE_SENDING = "dies before sending"
    DIES_IN_MID_SEND = "dies in mid-send"
    DIES_BEFORE_DELETING = "dies between sending and deleting"
    TWO_AT_ONCE = "two at once"
    ONE_OF_TWO_DIES = "one of two dies"


class ConsumerFate(StrEnum):
    """What becomes of a consumer that has a batch in hand."""

    LIVES = "lives"
    DIES_BEFORE_COMMIT = "dies before its commit"
    DIES_BEFORE_OFFSET_COMMIT = "dies between commit and offset commit"
    FAILS_ONCE = "fails once"
    DIES_ONE_BY_ONE = "fails once and dies while it handles record by record"
    DIES_BEFORE_RELEASING = "fails once and dies before it releases what was kept"
    TWO_AT_ONCE = "a rebalance gives the batch to another, and both handle it"


FAILING = (ConsumerFate.FAILS_ONCE, ConsumerFate.DIES_ONE_BY_ONE, ConsumerFate.DIES_BEFORE_RELEASING)
"""The first call of a handler fails, so that the batch is handled record by record."""
DIES_AT_CALL = {ConsumerFate.DIES_BEFORE_COMMIT: 1, ConsumerFate.DIES_ONE_BY_ONE: 3}
"""Which call of a handler is the last."""


class MortalRelay(Relay):
    """A relay that can be told to die."""

    fate = RelayFate.LIVES

    async def _send(self, rows: Sequence[Any]) -> list[int]:
        if self.fate is RelayFate.DIES_BEFORE_SENDING:
            raise Died
        if self.fate is RelayFate.DIES_IN_MID_SEND:
            await super()._send(rows[: len(rows) // 2])
            raise Died
        sent = await super()._send(rows)
        if self.fate is RelayFate.DIES_BEFORE_DELETING:
            raise Died
        return sent


class DiesBeforeReleasing(Handling):
    """Dies when it has handled a record alone, and what was kept for it is due."""

    async def release_due(self) -> int:
        if await self.due_count():
            raise Died
        return await super().release_due()


class Spine:
    """What a service promises of its events, to be done step by step."""

    relay_kind: type[MortalRelay] = MortalRelay

    def __init__(self, world: ServiceUnderTest, consumer: AIOKafkaConsumer) -> None:
        self.world = world
        self._consumer = consumer
        self._relays: list[MortalRelay] = []
        self._fate = ConsumerFate.LIVES
        self._calls_count = 0
        self.partitions = [TopicPartition(catalogue.topic_of(kind.TYPE), number)
                           for kind in (Counted, Caused) for number in range(PARTITIONS)]

    async def begin(self) -> None:
        """Leave behind what an example before left."""
        for table in ("outbox", "kept_events", "dead_letters"):
            await self.world.rows(f"delete from {{s}}.{table}")
        ends = await self._consumer.end_offsets(self.partitions)
        await self._consumer.commit(ends)
        await self._restart_consumer()

    async def commit(self, changes: Sequence[tuple[uuid.UUID, int]], *, fails: bool = False) -> None:
        """Commit a transaction that records these numbers of these cases; roll it back where it fails."""
        try:
            async with self.world.database.transaction() as tx:
                await tx.lock_cases(*(case_id for case_id, _ in changes))
                for case_id, number in changes:
                    kind = Counted if number > 0 else Caused
                    tx.record(kind(number=number), a_subject(case_id))
                if fails:
                    await tx.write_buffered()
                    raise ZeroDivisionError
        except ZeroDivisionError:
            pass

    async def publish(self, fate: RelayFate = RelayFate.LIVES) -> None:
        """One round of every relay there is; the first one meets its fate."""
        wanted = 2 if fate in (RelayFate.TWO_AT_ONCE, RelayFate.ONE_OF_TWO_DIES) else 1
        while len(self._relays) < wanted:
            self._relays.append(self.relay_kind(self.world.database, self.world.bootstrap))
        relays = list(self._relays)
        relays[0].fate = RelayFate.DIES_BEFORE_DELETING if fate is RelayFate.ONE_OF_TWO_DIES else fate
        outcomes = await asyncio.gather(*(_survived(relay) for relay in relays))
        for relay, survived in zip(relays, outcomes, strict=True):
            relay.fate = RelayFate.LIVES
            if not survived:
                self._relays.remove(relay)
                await relay.close()

    async def deliver(self, most: int, fate: ConsumerFate = ConsumerFate.LIVES, first: int = 0) -> None:
        """Give at most so many of the next records to the consumer, from this partition on."""
        if not (records := await self._next_records(most, first)):
            return
        self._fate, self._calls_count = fate, 0
        copies = 2 if fate is ConsumerFate.TWO_AT_ONCE else 1
        try:
            await asyncio.gather(*(self._handling().batch(records) for _ in range(copies)))
        except Died:
            await self._restart_consumer()
            return
        finally:
            self._fate = ConsumerFate.LIVES
        if fate is ConsumerFate.DIES_BEFORE_OFFSET_COMMIT:
            await self._restart_consumer()
            return
        await self._consumer.commit(
            {TopicPartition(record.topic, record.partition): record.offset + 1 for record in records})

    async def rewind(self) -> None:
        """A rebalance: the partitions come back, from what was committed of them."""
        await self._restart_consumer()

    async def release_due(self) -> None:
        """What the loop of kept events does."""
        await self._handling().release_due()

    async def settle(self) -> None:
        """Let everything run undisturbed until nothing is left to do."""
        while await self.world.rows("select 1 from {s}.outbox limit 1"):
            await self.publish()
        while any(await self._next_counts()):
            await self.deliver(100)
        await self.release_due()

    async def effects(self, case_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[int]]:
        """The numbers that took effect, per case in the order of their commit."""
        rows = await self.world.rows(
            "select case_id, number from {s}.effects where case_id = any($1) order by place", case_ids)
        return {case_id: [row["number"] for row in rows if row["case_id"] == case_id] for case_id in case_ids}

    async def close(self) -> None:
        """Give back the relays' connections."""
        for relay in self._relays:
            await relay.close()

    def _handling(self) -> Handling:
        handlers = {Counted.TYPE: [self._cause], Caused.TYPE: [self._effect]}
        kind = DiesBeforeReleasing if self._fate is ConsumerFate.DIES_BEFORE_RELEASING else Handling
        return kind(self.world.runtime, handlers, DeadLetterLimit())

    async def _cause(self, tx: Transaction, events: list[EventEnvelope[Counted]]) -> None:
        await store_effects(tx, events)
        tx.arrived(*(f"{event.case_id} {event.data.number}" for event in events))
        self._meet_fate()

    async def _effect(self, tx: Transaction, events: list[EventEnvelope[Caused]]) -> None:
        rows = await tx.driver.fetch(
            f"select case_id, number from {tx.service}.effects where case_id = any($1)",
            [event.case_id for event in events],
        )
        known = {(row["case_id"], row["number"]) for row in rows}
        for event in events:
            if (event.case_id, cause_of(event.data.number)) in known:
                await store_effects(tx, [event])
            else:
                tx.wait_for(event, f"{event.case_id} {cause_of(event.data.number)}")
        self._meet_fate()

    def _meet_fate(self) -> None:
        self._calls_count += 1
        if self._fate in FAILING and self._calls_count == 1:
            raise RuntimeError
        if self._calls_count == DIES_AT_CALL.get(self._fate):
            raise Died

    async def _restart_consumer(self) -> None:
        for partition in self.partitions:
            self._consumer.seek(partition, await self._consumer.committed(partition) or 0)

    async def _next_counts(self) -> list[int]:
        ends = await self._consumer.end_offsets(self.partitions)
        return [ends[one] - await self._consumer.position(one) for one in self.partitions]

    async def _next_records(self, most: int, first: int) -> Records:
        """Partition after partition, so that the same steps find the same records again."""
        counts = await self._next_counts()
        records: Records = []
        async with asyncio.timeout(READ_SECONDS):
            for place in [*range(first, len(counts)), *range(first)]:
                wanted = len(records) + min(counts[place], most - len(records))
                while len(records) < wanted:
                    part = await self._consumer.getmany(
                        self.partitions[place], timeout_ms=1_000, max_records=wanted - len(records))
                    records += itertools.chain.from_iterable(part.values())
        return records


def cause_of(number: int) -> int:
    """The number of the cause of an effect."""
    return -number // EFFECTS_OF_A_CAUSE


async def _survived(relay: MortalRelay) -> bool:
    try:
        await relay.publish()
    except Died:
        return False
    return True


@asynccontextmanager
async def a_spine(world: ServiceUnderTest) -> AsyncIterator[Spine]:
    """The spine on the real broker and database."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=world.bootstrap, group_id=world.schema, enable_auto_commit=False, fetch_max_wait_ms=20)
    await consumer.start()
    spine = Spine(world, consumer)
    consumer.assign(spine.partitions)
    try:
        yield spine
    finally:
        await spine.close()
        await consumer.stop()
