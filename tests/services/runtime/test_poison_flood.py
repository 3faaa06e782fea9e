"""A flood of bad records stops the consumer with an alarm, and an operator lets it go on."""

from __future__ import annotations

from typing import Any

import pytest
from structlog.testing import capture_logs

from contracts.envelope import EventEnvelope
from services.runtime.consumer import Consumers
from services.runtime.database import Transaction
from services.runtime.dead_letter_limit import HANDLED_FOR_ONE, DeadLetterLimit
from services.runtime.health import _checks
from services.runtime.problems import PermanentError
from tests.services.runtime.service_under_test import ServiceUnderTest, an_event, consume, store_effects, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

LIMIT = 5


class Deployment:
    """A handler that fails for the numbers it cannot handle, until it is mended."""

    def __init__(self, *, broken_for: range) -> None:
        self.broken_for = broken_for

    async def handle(self, tx: Transaction, events: list[EventEnvelope[Any]]) -> None:
        if any(event.data.number in self.broken_for for event in events):
            raise PermanentError("Broken deployment.", code="broken")
        await store_effects(tx, events)


async def halted(consumers: Consumers) -> None:
    async def stopped() -> bool:
        return consumers.halted_because is not None and not consumers.alive

    await until(stopped)


async def parked(world: ServiceUnderTest) -> int:
    return (await world.rows("select count(*) from {s}.dead_letters"))[0]["count"]


async def test_a_flood_stops_the_consumer_with_an_alarm_that_says_how_to_go_on(world: ServiceUnderTest) -> None:
    deployment = Deployment(broken_for=range(20))
    await world.send(*(an_event(number) for number in range(20)))
    with capture_logs() as logs:
        consumers = await consume(world, limit=LIMIT, counted=deployment.handle)
        await halted(consumers)
    [alarm] = [line for line in logs if line["log_level"] == "critical"]
    assert alarm["event"] == "consumer.halted"
    assert f"onething dead-letters resume {world.schema}" in alarm["reason"]
    assert await parked(world) == LIMIT
    world.runtime.worker = None
    check = (await _checks(world.runtime))["consumer"]
    assert (check.ok, check.required, check.detail) == (False, True, alarm["reason"])
    assert await consumers.lag() is None, "what it does not consume keeps the clock from leaping"


async def test_resumed_after_mending_it_handles_everything_it_had_not_parked(world: ServiceUnderTest) -> None:
    deployment = Deployment(broken_for=range(20))
    await world.send(*((an_event(number), 0) for number in range(30)))
    consumers = await consume(world, limit=LIMIT, counted=deployment.handle)
    await halted(consumers)
    deployment.broken_for = range(0)
    await consumers.resume(world.runtime, park_at_most=LIMIT)

    async def all_handled() -> bool:
        return len(await world.effects()) == 30

    await until(all_handled)
    assert await world.effects() == list(range(30)), "those parked came again, since their batch was not committed"
    assert await parked(world) == LIMIT


async def test_resumed_without_mending_it_parks_as_many_as_allowed_and_stops_again(world: ServiceUnderTest) -> None:
    deployment = Deployment(broken_for=range(100))
    await world.send(*((an_event(number), 0) for number in range(40)))
    consumers = await consume(world, limit=LIMIT, counted=deployment.handle)
    await halted(consumers)
    await consumers.resume(world.runtime, park_at_most=7)
    await halted(consumers)
    assert await parked(world) == LIMIT + 7
    await consumers.resume(world.runtime, park_at_most=1000)

    async def all_parked() -> bool:
        return await parked(world) == 40

    await until(all_parked)
    assert consumers.halted_because is None


async def test_bad_records_among_good_ones_are_a_flood_too(world: ServiceUnderTest) -> None:
    async def handler(tx: Transaction, events: list[EventEnvelope[Any]]) -> None:
        if any(event.data.number % 2 for event in events):
            raise PermanentError("Every second one.", code="odd")
        await store_effects(tx, events)

    await world.send(*((an_event(number), 0) for number in range(60)))
    consumers = await consume(world, limit=LIMIT, counted=handler)
    await halted(consumers)
    assert LIMIT <= await parked(world) <= 2 * LIMIT


@pytest.mark.parametrize(("good_to_one_bad", "is_flood"), [(HANDLED_FOR_ONE, False), (HANDLED_FOR_ONE // 2, True)])
async def test_few_bad_records_among_many_good_ones_are_no_flood(good_to_one_bad: int, is_flood: bool) -> None:
    limit, allowed = DeadLetterLimit(100), True
    for _ in range(1_000):
        allowed = allowed and limit.allows(1)
        limit.count(handled=0, parked=1)
        limit.count(handled=good_to_one_bad, parked=0)
    assert allowed is not is_flood
