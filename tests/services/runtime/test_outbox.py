"""A change and the event that tells of it are one: both are committed, or neither."""

from __future__ import annotations

import uuid

import asyncpg
import pytest

from services.runtime.database import Transaction
from tests.services.runtime.service_under_test import Counted, ServiceUnderTest, a_subject, an_event, store_effects

pytestmark = pytest.mark.asyncio(loop_scope="session")

TOO_LATE = "A reader could not use this event."


async def change_and_tell(tx: Transaction, case_id: uuid.UUID, number: int) -> None:
    await tx.lock_cases(case_id)
    await store_effects(tx, [an_event(number, case_id=case_id)])
    tx.record(Counted(number=number), a_subject(case_id))


async def waiting(world: ServiceUnderTest, case_id: uuid.UUID) -> int:
    return len(await world.rows("select from {s}.outbox where key = $1", str(case_id)))


async def test_a_change_whose_event_cannot_be_written_is_not_made(
    world: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = uuid.uuid4()

    async def full(*_: object) -> None:
        raise asyncpg.CheckViolationError(TOO_LATE)

    monkeypatch.setattr("services.runtime.outbox.insert", full)
    with pytest.raises(asyncpg.CheckViolationError):
        async with world.database.transaction() as tx:
            await change_and_tell(tx, case_id, 1)
    assert await world.effects() == []


async def test_an_event_of_a_change_that_was_not_made_is_not_told(world: ServiceUnderTest) -> None:
    case_id = uuid.uuid4()
    with pytest.raises(ZeroDivisionError):
        async with world.database.transaction() as tx:
            await change_and_tell(tx, case_id, 1)
            await tx.write_buffered()
            raise ZeroDivisionError
    assert await waiting(world, case_id) == 0
    async with world.database.transaction() as tx:
        await change_and_tell(tx, case_id, 2)
    assert await waiting(world, case_id) == 1
    assert await world.effects() == [2]
