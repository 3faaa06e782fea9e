"""An effect that comes before its cause is kept and handled when the cause comes, in every interleaving."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from contracts.envelope import EventEnvelope
from services.runtime import dead_letter_retry
from services.runtime.database import Transaction
from services.runtime.dead_letter_limit import DeadLetterLimit
from services.runtime.handling import Handling
from services.runtime.kept_events import LOOP
from services.runtime.problems import PermanentError
from tests.services.runtime.service_under_test import (
    Caused,
    Counted,
    ServiceUnderTest,
    an_event,
    consume,
    store_effects,
    until,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

CAUSE, EFFECT = 1, 2


async def cause(tx: Transaction, events: list[EventEnvelope[Counted]]) -> None:
    await store_effects(tx, events)
    tx.arrived(*(str(event.case_id) for event in events))


async def effect(tx: Transaction, events: list[EventEnvelope[Caused]]) -> None:
    rows = await tx.driver.fetch(
        f"select case_id from {tx.service}.effects where number = {CAUSE} and case_id = any($1)",
        [event.case_id for event in events],
    )
    known = {row["case_id"] for row in rows}
    for event in events:
        if event.case_id not in known:
            tx.wait_for(event, str(event.case_id))
    await store_effects(tx, [event for event in events if event.case_id in known])


def a_pair(case_id: uuid.UUID) -> tuple[EventEnvelope[Any], EventEnvelope[Any]]:
    return an_event(CAUSE, case_id=case_id), an_event(EFFECT, case_id=case_id, kind=Caused)


@pytest.mark.parametrize("first", ["cause", "effect", "together"])
async def test_cause_and_effect_both_take_effect_once_in_this_order(world: ServiceUnderTest, first: str) -> None:
    case_id = uuid.uuid4()
    the_cause, the_effect = a_pair(case_id)
    if first == "together":
        await world.send(the_effect, the_cause)
    await consume(world, counted=cause, caused=effect)
    if first == "effect":
        await world.send(the_effect)
        await until(lambda: world.rows("select 1 from {s}.kept_events"))
        await world.send(the_cause, the_effect)
    elif first == "cause":
        await world.send(the_cause)
        await until(world.effects)
        await world.send(the_effect, the_cause)
    await until(lambda: _both(world))
    assert await world.effects() == [CAUSE, EFFECT]
    assert await world.rows("select 1 from {s}.kept_events") == []


async def test_two_consumers_racing_lose_no_effect(world: ServiceUnderTest) -> None:
    cases = [uuid.uuid4() for _ in range(200)]
    pairs = [a_pair(case_id) for case_id in cases]
    racing = [_handling(world) for _ in range(2)]
    for at in range(0, len(pairs), 10):
        part = pairs[at:at + 10]
        await asyncio.gather(
            _handle(world, racing[0], [the_cause for the_cause, _ in part]),
            _handle(world, racing[1], [the_effect for _, the_effect in reversed(part)]),
        )
    assert sorted(await world.effects()) == [CAUSE] * 200 + [EFFECT] * 200
    assert await world.rows("select 1 from {s}.kept_events") == []


async def test_a_cause_that_comes_over_http_releases_the_effect_right_after(world: ServiceUnderTest) -> None:
    case_id = uuid.uuid4()
    the_cause, the_effect = a_pair(case_id)
    consumers = await consume(world, counted=cause, caused=effect)
    await world.send(the_effect)
    await until(lambda: world.rows("select 1 from {s}.kept_events"))
    async with world.database.transaction() as tx:
        await tx.lock_cases(case_id)
        await cause(tx, [the_cause])
    loop = consumers.loop()
    assert LOOP in world.nudged
    assert await loop.pending(world.runtime) == 1
    await loop.work(world.runtime)
    assert await world.effects() == [CAUSE, EFFECT]
    assert await loop.pending(world.runtime) == 0


async def test_what_is_due_is_not_overtaken_by_a_later_event_of_its_case(world: ServiceUnderTest) -> None:
    the_cause, the_effect = a_pair(uuid.uuid4())
    later = an_event(EFFECT + 1, case_id=the_cause.case_id, kind=Caused)
    handling = _handling(world)
    await _handle(world, handling, [the_effect])
    async with world.database.transaction() as tx:
        await tx.lock_cases(the_cause.case_id)
        await cause(tx, [the_cause])
    await _handle(world, handling, [later])
    assert await world.effects() == [CAUSE, EFFECT, EFFECT + 1]


async def test_a_kept_event_that_fails_is_parked_alone_and_can_be_retried(world: ServiceUnderTest) -> None:
    broken = True

    async def failing(tx: Transaction, events: list[EventEnvelope[Caused]]) -> None:
        if broken and await tx.driver.fetchval(f"select true from {tx.service}.effects limit 1"):
            raise PermanentError("Broken.", code="broken")
        await effect(tx, events)

    the_cause, the_effect = a_pair(uuid.uuid4())
    consumers = await consume(world, counted=cause, caused=failing)
    await world.send(the_effect)
    await until(lambda: world.rows("select 1 from {s}.kept_events"))
    await world.send(the_cause)
    (letter,) = await until(lambda: world.rows("select * from {s}.dead_letters"))
    assert (await world.effects(), letter["reason_code"], letter["partition"]) == ([CAUSE], "broken", None)
    broken = False
    await dead_letter_retry.retry(world.runtime, letter["id"])
    assert await world.effects() == [CAUSE, EFFECT]
    assert consumers.alive


def _handling(world: ServiceUnderTest) -> Any:
    return Handling(world.runtime, {Counted.TYPE: [cause], Caused.TYPE: [effect]}, DeadLetterLimit())


async def _handle(world: ServiceUnderTest, handling: Any, events: list[EventEnvelope[Any]]) -> None:
    for event in events:
        async with world.database.transaction() as tx:
            await handling.handle(tx, [event])


async def _both(world: ServiceUnderTest) -> bool:
    return len(await world.effects()) >= 2
