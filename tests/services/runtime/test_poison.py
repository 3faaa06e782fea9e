"""Poison on real Kafka: each record that is wrong is parked with its reason and origin, and holds up nobody."""

from __future__ import annotations

import base64

import pytest
from aiokafka.errors import MessageSizeTooLargeError

from contracts.catalogue import ITEM
from deploy.local.infrastructure import Infrastructure
from services.runtime import dead_letters
from services.runtime.record_batches import survive_any_header_name
from tests.services.runtime.poisons import (
    BROKER_ALLOWS_BYTES,
    IDENTITY_NUMBER,
    POISONS,
    TWO_MEGABYTES,
    Sent,
    poison_producer,
    send_as_it_is,
    sent_of,
)
from tests.services.runtime.service_under_test import (
    PARTITIONS,
    ServiceUnderTest,
    allow_records_of,
    an_event,
    consume,
    store_effects,
    until,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

Place = tuple[int, int]


async def test_each_poison_is_parked_with_reason_and_origin_and_the_next_record_is_handled(
    world: ServiceUnderTest,
) -> None:
    survive_any_header_name()
    await allow_records_of(world.bootstrap, world.topic, BROKER_ALLOWS_BYTES)
    told: dict[Place, tuple[str, str, Sent]] = {}
    async with poison_producer(world.bootstrap) as producer:
        for partition in range(PARTITIONS):
            for name, poison in POISONS.items():
                sent = poison.spoil(Sent.of(an_event()))
                offset = await send_as_it_is(producer, world.topic, partition, sent)
                told[partition, offset] = (name, poison.reason_code, sent)
    await world.send(*((an_event(70 + partition), partition) for partition in range(PARTITIONS)))
    await consume(world, counted=store_effects)

    async def next_ones_handled() -> bool:
        return len(await world.effects()) == PARTITIONS

    await until(next_ones_handled)
    letters = [await dead_letters.show(world.runtime, each.id) for each in await dead_letters.listing(world.database)]
    assert {(each.partition, each.offset): (told[each.partition, each.offset][0], each.reason_code, sent_of(each))
            for each in letters} == told
    assert {each.topic for each in letters} == {world.topic}


async def test_what_is_parked_is_readable_neither_in_the_table_nor_in_the_list(world: ServiceUnderTest) -> None:
    event = an_event()
    sent = POISONS["not JSON"].spoil(Sent.of(event).with_header(b"x-note", IDENTITY_NUMBER.encode()))
    async with poison_producer(world.bootstrap) as producer:
        await send_as_it_is(producer, world.topic, 0, sent)
    await consume(world, counted=store_effects)
    [row] = await until(lambda: world.rows("select * from {s}.dead_letters"))
    [letter] = await dead_letters.listing(world.database)
    for told in (str(dict(row)), row["sealed_record"].decode("latin-1"), letter.model_dump_json()):
        assert IDENTITY_NUMBER not in told
        assert base64.b64encode(IDENTITY_NUMBER.encode()).decode() not in told
    assert IDENTITY_NUMBER.encode() in (sent_of(await dead_letters.show(world.runtime, letter.id)).value or b"")


async def test_the_broker_takes_no_two_megabytes_unless_it_is_told_to(stack: Infrastructure) -> None:
    async with poison_producer(stack.kafka_bootstrap) as producer:
        with pytest.raises(MessageSizeTooLargeError):
            await producer.send_and_wait(ITEM.name, b" " * TWO_MEGABYTES, partition=0)
