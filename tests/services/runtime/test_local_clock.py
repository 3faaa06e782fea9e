"""The clock as a process reads it: its newest leap, and in production none at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import asyncpg
import pytest

from contracts.processes import ClockReading, Leap
from services.runtime.database import Database
from services.runtime.local_clock import LocalClock

if TYPE_CHECKING:
    from deploy.local.infrastructure import Infrastructure
    from services.runtime.context import Runtime


async def reading_of(stack: Infrastructure, environment: str) -> ClockReading:
    database = Database(
        stack.database_dsn("workflows"),
        service="workflows",
        settings=SimpleNamespace(env=environment),
        nudge=lambda _: None,
    )
    try:
        return await LocalClock(cast("Runtime", SimpleNamespace(database=database))).read_clock()
    finally:
        await database.close()


@pytest.mark.asyncio(loop_scope="session")
async def test_the_clock_is_read_with_its_newest_leap_and_in_production_without_any(stack: Infrastructure):
    keeper = await asyncpg.connect(stack.database_dsn("keeper"))
    try:
        # The offset stays what it is: other tests share this clock.
        leap = await keeper.fetchrow(
            "insert into clock.leaps (offset_us, kind) values (coalesce((select offset_us from clock.leaps "
            "order by number desc limit 1), 0), 'leap') returning number, offset_us"
        )
    finally:
        await keeper.close()
    told = await reading_of(stack, "demo")
    assert told.leap == Leap(number=leap["number"], offset_us=leap["offset_us"])
    lateness = datetime.now(UTC) + timedelta(microseconds=leap["offset_us"]) - told.legal_now
    assert abs(lateness) < timedelta(minutes=1)
    assert (await reading_of(stack, "production")).leap == Leap()
