"""The consumer on real Kafka and Postgres: once per event, in order per case, poison isolated."""

from __future__ import annotations

import asyncio
import uuid
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError

from contracts.envelope import EventEnvelope
from services.runtime.consumer import Consumers, _Batch
from services.runtime.database import Transaction
from services.runtime.handling import Handling
from services.runtime.problems import PermanentError
from tests.services.runtime.service_under_test import (
    Caused,
    Counted,
    ServiceUnderTest,
    a_subject,
    an_event,
    consume,
    store_effects,
    until,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_each_event_takes_effect_once_however_often_it_is_delivered(world: ServiceUnderTest) -> None:
    event = an_event(1)
    await world.send(event, event)
    await consume(world, counted=store_effects)
    await until(lambda: _contains(world, 1))
    await world.send(event)
    await world.send(an_event(2, case_id=event.case_id))
    await until(lambda: _contains(world, 2))
    assert await world.effects() == [1, 2]


async def test_a_rewound_group_changes_nothing(world: ServiceUnderTest) -> None:
    await world.send(*(an_event(number) for number in range(20)))
    consumers = await consume(world, counted=store_effects)
    await until(lambda: _count(world, 20))
    await consumers.stop()
    rewound = world.runtime.consumers = await _rewind(world)
    await rewound.start(world.runtime)
    await world.send(an_event(99))
    await until(lambda: _contains(world, 99))
    assert sorted(await world.effects()) == [*range(20), 99]


async def test_events_of_one_case_are_handled_in_order(world: ServiceUnderTest) -> None:
    case_id, other = uuid.uuid4(), uuid.uuid4()
    batches: list[list[uuid.UUID]] = []

    async def handler(tx: Transaction, events: list[EventEnvelope[Counted]]) -> None:
        batches.append([event.case_id for event in events])
        await store_effects(tx, events)

    events = [an_event(n, case_id=case_id) for n in range(30)] + [an_event(n, case_id=other) for n in range(30)]
    await world.send(*((event, 0) for event in events))
    await consume(world, counted=handler)
    await until(lambda: _count(world, 60))
    rows = await world.rows("select number from {s}.effects where case_id = $1 order by place", case_id)
    assert [row["number"] for row in rows] == list(range(30))
    assert all(len(batch) == len(set(batch)) for batch in batches), "a handler never gets a case twice at once"


async def test_a_raising_handler_parks_its_record_and_spares_the_others_of_the_batch(world: ServiceUnderTest) -> None:
    async def handler(tx: Transaction, events: list[EventEnvelope[Counted]]) -> None:
        await store_effects(tx, events)
        if any(event.data.number == 13 for event in events):
            raise ValueError("secret content of number 13")

    await world.send(*((an_event(number), 0) for number in range(10, 17)))
    await consume(world, counted=handler)
    await until(lambda: _count(world, 6))
    assert sorted(await world.effects()) == [10, 11, 12, 14, 15, 16]
    (letter,) = await until(lambda: world.rows("select * from {s}.dead_letters"))
    assert (letter["reason_code"], letter["attempts"]) == ("handler_failed", 4)
    assert "ValueError" in letter["reason"] and "secret" not in letter["reason"]


async def test_a_permanent_error_is_tried_alone_once_and_parked(world: ServiceUnderTest) -> None:
    alone: list[int] = []

    async def handler(tx: Transaction, events: list[EventEnvelope[Counted]]) -> None:
        alone.extend(event.data.number for event in events if len(events) == 1)
        raise PermanentError("This can never be.", code="never")

    await world.send((an_event(1), 0), (an_event(2), 0))
    await consume(world, counted=handler)
    letters = await until(lambda: _rows_if(world, "select * from {s}.dead_letters", 2))
    assert [(letter["reason_code"], letter["attempts"]) for letter in letters] == [("never", 1)] * 2
    assert alone == [1, 2]


async def test_a_passing_failure_is_retried_until_it_passes(world: ServiceUnderTest) -> None:
    tried = 0

    async def handler(tx: Transaction, events: list[EventEnvelope[Counted]]) -> None:
        nonlocal tried
        tried += 1
        if tried < 4:
            raise RuntimeError
        await store_effects(tx, events)

    await world.send(an_event(5))
    await consume(world, counted=handler)
    await until(lambda: _contains(world, 5))
    assert await world.rows("select 1 from {s}.dead_letters") == []


async def test_a_nack_rewinds_every_partition_still_held() -> None:
    rewound: dict[int, int] = {}

    class Consumer:
        def seek(self, partition: TopicPartition, offset: int) -> None:
            if partition.partition == 0:
                raise IllegalStateError
            rewound[partition.partition] = offset

    def at(partition: int, offset: int) -> Any:
        return SimpleNamespace(topic="topic", partition=partition, offset=offset)

    records = (at(0, 5), at(1, 8), at(1, 7), at(2, 3), at(1, 9))
    await _Batch(body=b"", raw_message=records, consumer=Consumer()).nack()
    assert rewound == {1: 7, 2: 3}


async def test_a_nacked_batch_is_redelivered_on_all_its_partitions(
    world: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    handled = Handling.batch
    delivered: list[list[tuple[int, int]]] = []

    async def failing_first(self: Handling, records: Any) -> None:
        delivered.append([(record.partition, record.offset) for record in records])
        if len({partition for batch in delivered for partition, _ in batch}) < 2 or len(delivered) < 3:
            raise RuntimeError
        await handled(self, records)

    monkeypatch.setattr(Handling, "batch", failing_first)
    await world.send(*((an_event(number), number % 2) for number in range(40)))
    await consume(world, counted=store_effects)
    await until(lambda: _count(world, 40))
    assert len(delivered) >= 3
    assert sorted(await world.effects()) == list(range(40))


async def test_lag_counts_down_to_zero_and_readiness_needs_an_assignment(world: ServiceUnderTest) -> None:
    hold = asyncio.Event()

    async def handler(tx: Transaction, events: list[EventEnvelope[Counted]]) -> None:
        await hold.wait()
        await store_effects(tx, events)

    consumers = await consume(world, counted=handler)
    assert not consumers.alive
    await until(lambda: _is(lambda: consumers.alive))
    await world.send(*(an_event(number) for number in range(10)))
    assert await consumers.lag() == 10
    hold.set()
    await until(lambda: _count(world, 10))

    async def drained() -> bool:
        return await consumers.lag() == 0

    await until(drained)
    assert world.runtime.handled == 10


async def test_what_is_recorded_names_its_cause_and_keeps_its_correlation(world: ServiceUnderTest) -> None:
    async def handler(tx: Transaction, events: list[EventEnvelope[Counted]]) -> None:
        for event in events:
            tx.record(Caused(number=event.data.number), a_subject(event.case_id))
        await store_effects(tx, events)

    causes = [an_event(number) for number in range(3)]
    await world.send(*causes)
    await consume(world, counted=handler)
    await until(lambda: _count(world, 3))
    rows = await world.rows(
        "select headers->>'ce_causationid' as cause, headers->>'ce_correlationid' as correlation, key from {s}.outbox"
    )
    assert {(row["cause"], row["key"]) for row in rows} == {(str(c.id), str(c.case_id)) for c in causes}
    assert all(row["correlation"] == row["key"] for row in rows)


async def _rewind(world: ServiceUnderTest) -> Any:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=world.bootstrap, group_id=world.schema, enable_auto_commit=False
    )
    consumer.assign([TopicPartition(world.topic, partition) for partition in (0, 1)])
    await consumer.start()
    await consumer.commit({TopicPartition(world.topic, partition): 0 for partition in (0, 1)})
    await consumer.stop()
    rewound = Consumers(world.schema)
    rewound.on(Counted)(store_effects)
    return rewound


async def _contains(world: ServiceUnderTest, number: int) -> bool:
    return number in await world.effects()


async def _count(world: ServiceUnderTest, count: int) -> bool:
    return len(await world.effects()) >= count


async def _rows_if(world: ServiceUnderTest, statement: str, count: int) -> list[Any]:
    rows = await world.rows(statement)
    return rows if len(rows) >= count else []


async def _is(condition: Any) -> bool:
    return condition()


async def test_a_consumer_whose_client_died_is_not_alive(world: ServiceUnderTest) -> None:
    consumers = await consume(world, counted=store_effects)
    await until(lambda: _is(lambda: consumers.alive))
    subscriber = consumers._subscriber
    assert subscriber is not None and subscriber.consumer is not None
    subscriber.consumer._client._sync_task.cancel()
    await until(lambda: _is(lambda: not consumers.alive))
