"""The relay on real Kafka and Postgres: every committed event, in order per case, whatever fails."""

from __future__ import annotations

import asyncio
import uuid
from collections import defaultdict
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka.errors import OutOfOrderSequenceNumber

from contracts import catalogue
from deploy.local.infrastructure import Infrastructure
from services.runtime import relay as relay_module
from services.runtime.relay import FROZEN_SECONDS, ROWS_PER_ROUND, Relay, key_hash
from tests.services.runtime.service_under_test import (
    Counted,
    ServiceUnderTest,
    a_subject,
    until,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def record(world: ServiceUnderTest, case_ids: list[uuid.UUID], number: int) -> None:
    async with world.database.transaction() as tx:
        await tx.lock_cases(*case_ids)
        for case_id in case_ids:
            tx.record(Counted(number=number), a_subject(case_id))


async def published_numbers(world: ServiceUnderTest, count: int) -> dict[str, list[int]]:
    """Numbers per case in the order of the topic, each event counted where it stands first."""
    numbers: dict[str, list[int]] = defaultdict(list)
    seen: set[bytes] = set()
    for message in await world.read_topic(world.topic, count):
        event_id = dict(message.headers)["ce_id"]
        if event_id not in seen:
            seen.add(event_id)
            numbers[message.key.decode()].append(Counted.model_validate_json(message.value).number)
    return dict(numbers)


async def drain(world: ServiceUnderTest, *relays: Relay) -> None:
    async def run(relay: Relay) -> None:
        while await world.rows("select 1 from {s}.outbox limit 1"):
            if not await relay.publish():
                await asyncio.sleep(0.01)

    async with asyncio.timeout(60):
        await asyncio.gather(*map(run, relays))


async def test_order_per_case_holds_with_writers_and_two_relays_racing(
    world: ServiceUnderTest, relay: Relay
) -> None:
    cases = [uuid.uuid4() for _ in range(20)]
    written = dict.fromkeys(cases, 0)
    writers, rounds = 4, 25

    async def write() -> None:
        for _ in range(rounds):
            async with world.database.transaction() as tx:
                await tx.lock_cases(*cases)
                for case_id in cases:
                    tx.record(Counted(number=written[case_id]), a_subject(case_id))
                    written[case_id] += 1

    other = Relay(world.database, world.bootstrap)
    try:
        await asyncio.gather(*(write() for _ in range(writers)), drain(world, relay, other))
        await drain(world, relay, other)
    finally:
        await other.close()
    numbers = await published_numbers(world, len(cases) * rounds * writers)
    assert numbers == {str(case_id): list(range(rounds * writers)) for case_id in cases}


async def test_a_case_always_meets_the_partition_every_kafka_client_would_choose(
    world: ServiceUnderTest, relay: Relay
) -> None:
    cases = [uuid.uuid4() for _ in range(20)]
    await record(world, cases, 1)
    await drain(world, relay)
    async with world.producer() as producer:
        chosen = {
            str(case_id): (await producer.send_and_wait(world.topic, b"{}", key=str(case_id).encode())).partition
            for case_id in cases
        }
    for message in (await world.read_topic(world.topic, 40)):
        assert message.partition == chosen[message.key.decode()] == key_hash(message.key.decode()) % 2


async def test_nothing_is_published_before_the_commit_nor_after_a_rollback(
    world: ServiceUnderTest, relay: Relay
) -> None:
    case_id = uuid.uuid4()
    with pytest.raises(ZeroDivisionError):
        async with world.database.transaction() as tx:
            await tx.lock_cases(case_id)
            tx.record(Counted(number=1), a_subject(case_id))
            await tx.write_buffered()
            assert await relay.publish() == 0
            raise ZeroDivisionError
    assert await relay.publish() == 0


async def test_a_stuck_idempotent_producer_is_rebuilt_and_no_row_is_skipped(
    world: ServiceUnderTest, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver = relay_module._deliver
    failures = 3

    async def failing(*args: object) -> None:
        nonlocal failures
        if failures:
            failures -= 1
            raise OutOfOrderSequenceNumber
        await deliver(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(relay_module, "_deliver", failing)
    case_id = uuid.uuid4()
    for number in range(5):
        await record(world, [case_id], number)
    assert await relay.publish() == 0
    assert relay._producer is None
    await drain(world, relay)
    assert await published_numbers(world, 5) == {str(case_id): [0, 1, 2, 3, 4]}


async def test_a_topic_that_is_refused_holds_its_rows_and_no_other_topics(
    world: ServiceUnderTest, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver = relay_module._deliver

    async def refusing(producer: object, batch: object, topic: str, partition: int) -> None:
        if topic == world.topic:
            raise OSError("refused")
        await deliver(producer, batch, topic, partition)  # type: ignore[arg-type]

    monkeypatch.setattr(relay_module, "_deliver", refusing)
    case_id, elsewhere = uuid.uuid4(), catalogue.topic_of("test.caused.v1")
    await record(world, [case_id], 1)
    async with world.database.transaction() as tx:
        await tx.lock_cases(case_id)
        tx.record(Counted(number=2), a_subject(case_id), topic=elsewhere)
    await relay.publish()
    assert [row["topic"] for row in await world.rows("select topic from {s}.outbox")] == [world.topic]
    monkeypatch.undo()
    await drain(world, relay)


async def test_what_was_recorded_while_kafka_was_down_is_delivered_in_order_afterwards(
    world: ServiceUnderTest, relay: Relay, stack: Infrastructure
) -> None:
    case_id = uuid.uuid4()
    await record(world, [case_id], 0)
    await drain(world, relay)
    await stack.kafka.kill()
    try:
        await record(world, [case_id], 1)
        assert await relay.publish() == 0
        await record(world, [case_id], 2)
        assert await relay.pending() == 2
    finally:
        await stack.kafka.start()
    await drain(world, relay)
    assert await published_numbers(world, 3) == {str(case_id): [0, 1, 2]}


async def test_a_commit_with_events_nudges_the_relay(world: ServiceUnderTest) -> None:
    await record(world, [uuid.uuid4()], 1)
    assert world.nudged == ["relay"]
    async with world.database.transaction():
        pass
    assert world.nudged == ["relay"]
    await until(lambda: world.rows("select 1 from {s}.outbox"))


async def test_a_relay_keeps_its_shards_for_a_turn_and_loses_them_with_its_connection(
    world: ServiceUnderTest, relay: Relay
) -> None:
    case_id, other = uuid.uuid4(), Relay(world.database, world.bootstrap)
    try:
        await record(world, [case_id], 0)
        assert await relay.publish() == 1
        await record(world, [case_id], 1)
        assert await other.publish() == 0
        await relay.close()
        await drain(world, other)
    finally:
        await other.close()
    assert await published_numbers(world, 2) == {str(case_id): [0, 1]}


async def test_a_relay_whose_turn_is_over_lets_another_serve(
    world: ServiceUnderTest, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.runtime.relay.TURN_SECONDS", 0.0)
    case_id, other = uuid.uuid4(), Relay(world.database, world.bootstrap)
    try:
        await record(world, [case_id], 0)
        assert await relay.publish() == 1
        assert await relay.publish() == 0
        await record(world, [case_id], 1)
        assert await other.publish() == 1
    finally:
        await other.close()
    assert await published_numbers(world, 2) == {str(case_id): [0, 1]}


async def test_a_frozen_relay_does_not_keep_its_shards(world: ServiceUnderTest, relay: Relay) -> None:
    """Postgres ends the session of a relay that sends no statement any more."""
    await relay.publish()
    assert await relay._connection.fetchval("show idle_session_timeout") == f"{FROZEN_SECONDS}s"


@pytest.mark.parametrize(("sent_count", "rests"), [(3, True), (ROWS_PER_ROUND, False), (0, False)],
                         ids=["a few", "a backlog", "nothing"])
async def test_only_after_a_few_events_does_the_next_round_wait_for_more(
    monkeypatch: pytest.MonkeyPatch, sent_count: int, rests: bool
) -> None:
    rested: list[float] = []

    async def publish() -> int:
        return sent_count

    async def sleep(seconds: float) -> None:
        rested.append(seconds)

    relay = Relay(cast(Any, SimpleNamespace(service="anyone")), "nowhere")
    monkeypatch.setattr(relay, "publish", publish)
    monkeypatch.setattr(relay_module.asyncio, "sleep", sleep)
    monkeypatch.setattr(relay_module, "ROUND_SECONDS", 3600.0)
    work = relay.loop().work
    assert [await work(cast(Any, None)) for _ in range(2)] == [sent_count, sent_count]
    assert [seconds > 0 for seconds in rested] == [False, rests]
