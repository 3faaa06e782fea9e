"""Transactions: legal time, locks, row level security, and a database that comes back."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from contracts import catalogue
from contracts.envelope import EventEnvelope
from deploy.local.infrastructure import Infrastructure
from services.runtime.connections import POOL_CONNECTIONS
from services.runtime.database import CaseNotLocked, Database, DatabaseUnavailable, Transaction
from services.runtime.outbox import MAX_EVENT_BYTES, EventRefused
from services.runtime.settings import RuntimeSettings
from tests.services.runtime.service_under_test import (
    Counted,
    ServiceUnderTest,
    a_subject,
    an_event,
    consume,
    store_effects,
    until,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_leap_is_seen_by_the_next_transaction_and_never_in_production(
    world: ServiceUnderTest, stack: Infrastructure
) -> None:
    keeper = await asyncpg.connect(stack.database_dsn("keeper"))
    leap = "insert into clock.leaps (offset_us, kind) values ($1, 'leap') returning number"
    production = Database(
        world.dsn, service=world.schema, settings=RuntimeSettings.model_construct(env="production"),
        nudge=world.nudged.append,
    )
    try:
        number = await keeper.fetchval(leap, int(timedelta(days=40).total_seconds() * 1_000_000))
        async with world.database.transaction() as tx:
            assert (tx.clock.leap_number, tx.clock.offset) == (number, timedelta(days=40))
            assert abs(tx.clock.now - datetime.now(UTC) - timedelta(days=40)) < timedelta(minutes=1)
        async with production.transaction() as tx:
            assert (tx.clock.leap_number, tx.clock.offset) == (0, timedelta(0))
    finally:
        await keeper.fetchval(leap, 0)
        await keeper.close()
        await production.close()


@pytest.mark.parametrize(("jurisdiction", "seen"), [
    ("*", [1, 2, 3]), ("5001", [1, 2]), ("500116", [1, 2]), ("500116106", [1]), ("54", [3]), ("11", []),
])
async def test_a_transaction_sees_only_its_jurisdiction(
    world: ServiceUnderTest, jurisdiction: str, seen: list[int]
) -> None:
    async with world.database.transaction() as tx:
        await tx.driver.executemany(
            f"insert into {world.schema}.people values ($1, $2)",
            [(1, "500116106"), (2, "500116107"), (3, "540102001")],
        )
    async with world.database.transaction(jurisdiction) as tx:
        rows = await tx.driver.fetch(f"select id from {world.schema}.people order by id")
    assert [row["id"] for row in rows] == seen


async def test_outside_a_transaction_of_ours_nothing_is_seen_and_nothing_foreign_written(
    world: ServiceUnderTest,
) -> None:
    async with world.database.transaction() as tx:
        await tx.driver.execute(f"insert into {world.schema}.people values (1, '500116106')")
        driver = tx.driver
    assert await driver.fetch("select current_setting('onething.jurisdiction', true) as s") == [("",)]
    assert await driver.fetch(f"select 1 from {world.schema}.people") == []
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with world.database.transaction("500116") as tx:
            await tx.driver.execute(f"insert into {world.schema}.people values (2, '540102001')")


@pytest.mark.parametrize("jurisdiction", ["", "%", "5%", "5", "500116106106x", "１１"])
async def test_what_is_no_jurisdiction_is_refused(world: ServiceUnderTest, jurisdiction: str) -> None:
    with pytest.raises(ValueError, match="jurisdiction"):
        async with world.database.transaction(jurisdiction):
            pass


async def test_two_transactions_on_one_case_take_turns_and_other_services_do_not_wait(
    world: ServiceUnderTest,
) -> None:
    case_id, order = uuid.uuid4(), list[str]()
    inside = asyncio.Event()

    async def second() -> None:
        await inside.wait()
        async with world.database.transaction() as tx:
            await tx.lock_cases(uuid.uuid4(), case_id)
            order.append("second")

    waiting = asyncio.create_task(second())
    async with world.database.transaction() as tx:
        await tx.lock_cases(case_id)
        inside.set()
        await until(lambda: world.rows(
            "select 1 from pg_locks where locktype = 'advisory' and not granted "
            "and pid in (select pid from pg_stat_activity where application_name = '{s}')"
        ))
        elsewhere = Database(
            world.dsn, service="another", settings=world.runtime.settings, nudge=world.nudged.append
        )
        async with elsewhere.transaction() as other:
            await other.lock_cases(case_id)
        await elsewhere.close()
        order.append("first")
    await waiting
    assert order == ["first", "second"]


async def test_an_event_needs_the_lock_of_its_case(world: ServiceUnderTest) -> None:
    async with world.database.transaction() as tx:
        await tx.lock_cases(uuid.uuid4())
        with pytest.raises(CaseNotLocked):
            tx.record(Counted(number=1), a_subject())


async def test_an_event_no_reader_could_use_is_refused_before_the_commit(
    world: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Wordy(Counted):
        TYPE = "test.wordy.v1"
        words: str = ""

    subject = a_subject()
    async with world.database.transaction() as tx:
        await tx.lock_cases(subject.case_id)
        with pytest.raises(EventRefused, match="not in the catalogue"):
            tx.record(Wordy(number=1), subject)
        monkeypatch.setitem(catalogue.EVENTS, Wordy.TYPE, catalogue.EVENTS[Counted.TYPE])
        with pytest.raises(EventRefused, match=str(MAX_EVENT_BYTES)):
            tx.record(Wordy(number=1, words="x" * MAX_EVENT_BYTES), subject)
        with pytest.raises(EventRefused, match="breaks its own model"):
            tx.record(Counted.model_construct(number="one"), subject)  # type: ignore[arg-type]
    assert await world.rows("select 1 from {s}.outbox") == []


async def test_a_reader_gets_only_its_fields_on_its_own_topic(world: ServiceUnderTest) -> None:
    class Wide(Counted):
        secret: str = "secret"

    subject = a_subject()
    async with world.database.transaction() as tx:
        await tx.lock_cases(subject.case_id)
        tx.record(Wide(number=1), subject, topic="department.test.v1", fields=frozenset({"number"}))
    (row,) = await world.rows("select topic, value from {s}.outbox")
    assert (row["topic"], row["value"]) == ("department.test.v1", b'{"number":1}')


async def test_with_the_database_killed_nothing_is_parked_and_each_event_takes_effect_once(
    world: ServiceUnderTest, stack: Infrastructure
) -> None:
    reached = asyncio.Event()

    async def handler(tx: Transaction, events: list[EventEnvelope[Any]]) -> None:
        await store_effects(tx, events)
        reached.set()

    consumers = await consume(world, counted=handler)
    await world.send(an_event(0))
    await reached.wait()
    await stack.postgres.kill()
    try:
        await world.send(*(an_event(number) for number in range(1, 30)))
        with pytest.raises(DatabaseUnavailable):
            await world.database.ping()

        async def redelivering() -> bool:
            return consumers._failures >= 2

        await until(redelivering)
    finally:
        await stack.postgres.start()
    await world.database.ping()

    async def all_handled() -> bool:
        return len(await world.effects()) >= 30

    await until(all_handled)
    assert sorted(await world.effects()) == list(range(30))
    assert await world.rows("select 1 from {s}.dead_letters") == []


async def test_transactions_that_are_cancelled_use_no_connection_up_and_leave_nothing(world: ServiceUnderTest) -> None:
    async def cancelled(number: int) -> None:
        async with world.database.transaction() as tx:
            await tx.driver.execute(f"insert into {world.schema}.people values ($1, '500116106')", number)
            await tx.driver.execute("select pg_sleep(60)")

    for number in range(POOL_CONNECTIONS + 1):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await cancelled(number)
    async with world.database.transaction() as tx:
        assert await tx.driver.fetch(f"select id from {world.schema}.people") == []


async def test_what_the_session_and_the_driver_write_is_one_transaction(world: ServiceUnderTest) -> None:
    insert = f"insert into {world.schema}.people values"
    with pytest.raises(ZeroDivisionError):
        async with world.database.transaction() as tx:
            await tx.driver.execute(f"{insert} (1, '500116106')")
            await tx.session.execute(text(f"{insert} (2, '500116106')"))
            raise ZeroDivisionError
    async with world.database.transaction() as tx:
        await tx.session.execute(text(f"{insert} (3, '500116106')"))
        await tx.driver.execute(f"{insert} (4, '500116106')")
    async with world.database.transaction("500116") as tx:
        rows = await tx.session.execute(text(f"select id from {world.schema}.people order by id"))
        assert list(rows.scalars()) == [3, 4]
