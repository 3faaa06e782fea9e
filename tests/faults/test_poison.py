"""Every poison on every topic of a running city: parked with reason and origin, and the next record is handled."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from contracts.catalogue import DEPARTMENT_ELECTRICITY, ITEM, PARTITIONS
from deploy.local.world import PROJECT_ROOT
from services.runtime.dead_letter_limit import PARKED_AT_MOST
from services.runtime.dead_letters import OpenedDeadLetter
from tests.faults.poisoned_city import (
    CONSUMED,
    HANDLED,
    PARKS_MANY,
    READ_BY_NOBODY,
    UNREADABLE_TO_A_DEPARTMENT,
    Poisoned,
    a_good_event,
    a_poisoned_city,
    readers_of,
    sample_type,
)
from tests.faults.tables import Table
from tests.journeys.city import City, until
from tests.services.runtime.poisons import POISONS, Sent, poison_producer, send_as_it_is, sent_of

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.faults_long]

POISON = Table(
    "Poison", rows="bad record", columns="topic",
    about="Each lies on the topic of a running city. Every service that reads the topic parks it with its reason and, "
    "byte for byte, its origin (topic, partition, offset, key, headers), and handles the next record of the "
    "partition. The power company is an outsider: it puts aside what its own client and the contract cannot read.",
)
RAISES = "a handler that raises"
FLOOD = 3 * PARKED_AT_MOST


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def poisoned() -> AsyncIterator[Poisoned]:
    async with a_poisoned_city() as city:
        yield city


@pytest.mark.parametrize("topic", CONSUMED)
@pytest.mark.parametrize("kind", POISONS)
@pytest.mark.cell(POISON, row="{kind}", column="{topic}")
async def test_poison_is_parked_with_its_reason_and_origin(poisoned: Poisoned, kind: str, topic: str) -> None:
    partition, offset, record = poisoned.sent[topic, kind]
    for service in readers_of(topic):
        letter = poisoned.letters[service, topic, partition, offset]
        assert letter["reason_code"] == POISONS[kind].reason_code, service
        assert sent_of(OpenedDeadLetter.model_validate(letter)) == record, service


@pytest.mark.parametrize("kind", UNREADABLE_TO_A_DEPARTMENT)
@pytest.mark.cell(POISON, row="{kind}", column=DEPARTMENT_ELECTRICITY.name)
async def test_a_department_puts_it_aside(poisoned: Poisoned, kind: str) -> None:
    partition, offset, _ = poisoned.sent[DEPARTMENT_ELECTRICITY.name, kind]
    assert (partition, offset) in poisoned.put_aside


@pytest.mark.parametrize("topic", READ_BY_NOBODY)
@pytest.mark.cell(POISON, row="(every one)", column="{topic}", says="no service reads it")
async def test_a_topic_without_a_reader_poisons_nobody(topic: str) -> None:
    assert readers_of(topic) == []


async def test_nothing_but_the_poison_is_parked(poisoned: Poisoned) -> None:
    sent = {(service, topic, partition, offset) for (topic, _), (partition, offset, _) in poisoned.sent.items()
            for service in readers_of(topic)}
    assert set(poisoned.letters) == sent


@pytest.mark.parametrize("topic", CONSUMED)
@pytest.mark.cell(POISON, row=RAISES, column="{topic}")
async def test_a_handler_that_raises_parks_its_record_until_it_is_retried(poisoned: Poisoned, topic: str) -> None:
    city, events = poisoned.city, [a_good_event(sample_type(topic)) for _ in range(2)]
    readers = [service for service in readers_of(topic) if events[0].type in HANDLED[service]]

    async def parked(service: str) -> list[dict[str, Any]]:
        letters = await city.stack.ask(service, "GET", "/dead-letters", params={"limit": 500})
        return [letter for letter in letters if letter["case_id"] == str(events[0].case_id)]

    async def handled(service: str, place: int) -> bool:
        rows = await city.rows(f"select from {service}.inbox where event_id = $1", events[place].id)
        return len(rows) == 1

    async with poison_producer(city.supervisor.infrastructure.kafka_bootstrap) as producer:
        await may_insert(city, readers, "inbox", allowed=False)
        await send_as_it_is(producer, topic, 0, Sent.of(events[0]))
        letters = {service: await until(lambda service=service: parked(service)) for service in readers}
        await may_insert(city, readers, "inbox", allowed=True)
        await send_as_it_is(producer, topic, 0, Sent.of(events[1]))
    for service, [letter] in letters.items():
        await until(lambda service=service: handled(service, 1))
        assert letter["reason_code"] == "handler_failed"
        assert not await handled(service, 0)
        await city.stack.ask(service, "POST", f"/dead-letters/{letter['id']}/retry")
        assert await handled(service, 0)


async def may_insert(city: City, roles: list[str], table: str, *, allowed: bool) -> None:
    """A fault that needs no change of code: services may not write what they must."""
    database = await asyncpg.connect(city.supervisor.infrastructure.database_dsn("admin"))
    try:
        for role in roles:
            words = ("grant", "to") if allowed else ("revoke", "from")
            await database.execute(f"{words[0]} insert on {role}.{table} {words[1]} {role}")
    finally:
        await database.close()


async def test_a_flood_stops_those_who_read_it_with_an_alarm_until_an_operator_lets_them_go_on(
    poisoned: Poisoned,
) -> None:
    city, readers = poisoned.city, readers_of(ITEM.name)
    for service in readers:
        await city.stack.ask(service, "POST", "/dead-letters/resume", json={"park_at_most": PARKED_AT_MOST})
    before = {service: await parked_by(city, service) for service in readers}
    last = a_good_event(sample_type(ITEM.name))
    async with poison_producer(city.supervisor.infrastructure.kafka_bootstrap) as producer:
        for number in range(FLOOD):
            spoilt = POISONS["not JSON"].spoil(Sent.of(a_good_event(sample_type(ITEM.name))))
            await send_as_it_is(producer, ITEM.name, number % PARTITIONS, spoilt)
        await send_as_it_is(producer, ITEM.name, 0, Sent.of(last))

    async def alarm() -> str:
        told = (await onething(city, "status")).stdout
        return told if all(f"resume {service}" in told for service in readers) else ""

    await until(alarm)
    for service in readers:
        assert await parked_by(city, service) - before[service] <= PARKED_AT_MOST
        done = await onething(city, "dead-letters", "resume", service, "--park-at-most", str(PARKS_MANY))
        assert done.returncode == 0, done.stderr

    async def handled_by_all() -> bool:
        return all([await city.rows(f"select from {service}.inbox where event_id = $1", last.id)
                    for service in readers])

    async def all_parked() -> bool:
        return all([await parked_by(city, service) - before[service] == FLOOD for service in readers])

    await until(handled_by_all)
    await until(all_parked)
    assert "resume" not in (await onething(city, "status")).stdout


async def parked_by(city: City, service: str) -> int:
    return (await city.rows(f"select count(*) from {service}.dead_letters"))[0]["count"]


async def onething(city: City, *words: str) -> subprocess.CompletedProcess[str]:
    """The command line on this city."""
    environment = {**os.environ, "ONETHING_HOME": str(city.supervisor.world.home), "COLUMNS": "200"}
    return await asyncio.to_thread(
        subprocess.run, [sys.executable, "-m", "deploy.cli", *words], check=False, capture_output=True, text=True,
        env=environment, cwd=PROJECT_ROOT,
    )
