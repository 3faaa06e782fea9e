"""What comes after a parked record, of its case on its topic, waits for it; a retry acts in the order of events."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from contracts.envelope import EventEnvelope
from services.runtime import dead_letter_retry, dead_letters
from services.runtime.database import Transaction
from services.runtime.dead_letter_retry import FailedAgain, Retried
from services.runtime.dead_letters import WAITS_BEHIND, DeadLetter, DeadLetterNotFound, WaitsBehind
from services.runtime.problems import PermanentError
from tests.services.runtime.poisons import POISONS, Sent, poison_producer, send_as_it_is
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

OTHER = 99


class Breakable:
    """A handler that fails for some numbers with the reason given, until they are taken out of it."""

    def __init__(self, **reasons: int) -> None:
        self.fails = {number: code for code, number in reasons.items()}

    async def handle(self, tx: Transaction, events: list[EventEnvelope[Any]]) -> None:
        await store_effects(tx, events)
        for event in events:
            if event.data.number in self.fails:
                raise PermanentError("Not now.", code=self.fails[event.data.number])


async def letters(world: ServiceUnderTest, count: int) -> list[DeadLetter]:
    """The dead letters, once there are so many."""

    async def enough() -> list[DeadLetter]:
        found = await dead_letters.listing(world.database)
        return found if len(found) >= count else []

    return await until(enough)


def a_case(count: int) -> list[EventEnvelope[Any]]:
    case_id = uuid.uuid4()
    return [an_event(number, case_id=case_id) for number in range(1, count + 1)]


async def handled(world: ServiceUnderTest, number: int) -> None:
    async def there() -> bool:
        return number in await world.effects()

    await until(there)


async def test_later_events_of_the_case_wait_and_a_retry_handles_all_in_their_order(world: ServiceUnderTest) -> None:
    breakable = Breakable(closed=2)
    events = a_case(4)
    await world.send(*((event, 0) for event in events[:3]), (an_event(OTHER), 0))
    await consume(world, counted=breakable.handle)
    await handled(world, OTHER)
    await world.send((events[3], 0), (an_event(OTHER + 1), 0))
    await handled(world, OTHER + 1)
    found = await letters(world, 3)
    assert [letter.reason_code for letter in found] == ["closed", WAITS_BEHIND, WAITS_BEHIND]
    assert [letter.case_id for letter in found] == [events[0].case_id] * 3
    breakable.fails.clear()
    retried = await dead_letter_retry.retry(world.runtime, found[0].id)
    assert retried == Retried(handled=[letter.id for letter in found])
    assert await world.effects() == [1, OTHER, OTHER + 1, 2, 3, 4]
    assert await dead_letters.listing(world.database) == []


async def test_one_that_waits_cannot_be_retried_before_the_one_it_waits_for(world: ServiceUnderTest) -> None:
    await world.send(*((event, 0) for event in a_case(2)))
    await consume(world, counted=Breakable(closed=1).handle)
    first, second = await letters(world, 2)
    with pytest.raises(WaitsBehind, match=str(first.id)):
        await dead_letter_retry.retry(world.runtime, second.id)
    assert await world.effects() == []


async def test_a_retry_before_the_cause_is_mended_leaves_it_with_the_new_reason_and_count(
    world: ServiceUnderTest,
) -> None:
    breakable = Breakable(closed=1)
    await world.send(*((event, 0) for event in a_case(2)))
    await consume(world, counted=breakable.handle)
    first, second = await letters(world, 2)
    breakable.fails[1] = "still_closed"
    with pytest.raises(FailedAgain, match="still_closed"):
        await dead_letter_retry.retry(world.runtime, first.id)
    again, waiting = await dead_letters.listing(world.database)
    assert (again.reason_code, again.attempts) == ("still_closed", first.attempts + 1)
    assert again.retried_at is not None
    assert waiting == second


async def test_one_that_fails_on_the_way_keeps_what_is_behind_it_waiting(world: ServiceUnderTest) -> None:
    breakable = Breakable(closed=1)
    await world.send(*((event, 0) for event in a_case(4)))
    await consume(world, counted=breakable.handle)
    found = await letters(world, 4)
    breakable.fails = {3: "closed_too"}
    retried = await dead_letter_retry.retry(world.runtime, found[0].id)
    assert retried.handled == [found[0].id, found[1].id]
    assert retried.failed is not None
    assert (retried.failed.id, retried.failed.reason_code) == (found[2].id, "closed_too")
    assert await world.effects() == [1, 2]
    breakable.fails.clear()
    await dead_letter_retry.retry(world.runtime, found[2].id)
    assert await world.effects() == [1, 2, 3, 4]


async def test_retried_twice_at_once_each_takes_effect_once(world: ServiceUnderTest) -> None:
    breakable = Breakable(closed=1)
    await world.send(*((event, 0) for event in a_case(5)))
    await consume(world, counted=breakable.handle)
    found = await letters(world, 5)
    breakable.fails.clear()
    outcomes = await asyncio.gather(
        *(dead_letter_retry.retry(world.runtime, found[0].id) for _ in range(4)), return_exceptions=True
    )
    assert sum(isinstance(outcome, DeadLetterNotFound) for outcome in outcomes) == 3
    assert await world.effects() == [1, 2, 3, 4, 5]
    assert await dead_letters.listing(world.database) == []


async def test_what_arrives_while_a_case_is_retried_stays_behind_it(world: ServiceUnderTest) -> None:
    breakable = Breakable(closed=1)
    events = a_case(30)
    await world.send(*((event, 0) for event in events[:15]))
    await consume(world, counted=breakable.handle)
    found = await letters(world, 15)
    breakable.fails.clear()
    await asyncio.gather(
        world.send(*((event, 0) for event in events[15:])), dead_letter_retry.retry(world.runtime, found[0].id)
    )
    await world.send((an_event(OTHER), 0))
    await handled(world, OTHER)
    for letter in await dead_letters.listing(world.database):
        await dead_letter_retry.retry(world.runtime, letter.id)
    assert [number for number in await world.effects() if number != OTHER] == list(range(1, 31))


async def test_what_waits_behind_a_hopeless_record_goes_on_when_that_is_discarded(world: ServiceUnderTest) -> None:
    before, hopeless, after = a_case(3)
    await world.send((before, 0))
    async with poison_producer(world.bootstrap) as producer:
        await send_as_it_is(producer, world.topic, 0, POISONS["not JSON"].spoil(Sent.of(hopeless)))
    await world.send((after, 0))
    await consume(world, counted=store_effects)
    first, second = await letters(world, 2)
    assert await world.effects() == [1], "what came before it does not wait"
    assert await dead_letter_retry.discard(world.runtime, first.id) == Retried(handled=[second.id])
    assert await world.effects() == [1, 3]
    with pytest.raises(DeadLetterNotFound):
        await dead_letter_retry.discard(world.runtime, first.id)


async def test_a_record_under_another_cases_key_holds_that_case_up_by_nothing(world: ServiceUnderTest) -> None:
    victim = an_event(5)
    stray = Sent(str(victim.case_id).encode(), an_event(1).body(), Sent.of(an_event(1)).headers)
    async with poison_producer(world.bootstrap) as producer:
        await send_as_it_is(producer, world.topic, 0, stray)
    await world.send((victim, 0))
    await consume(world, counted=store_effects)
    await handled(world, 5)
    [letter] = await letters(world, 1)
    assert (letter.reason_code, letter.case_id) == ("key_wrong", None)


async def test_an_effect_on_another_topic_is_kept_for_a_parked_cause_and_handled_after_it(
    world: ServiceUnderTest,
) -> None:
    breakable = Breakable(closed=1)

    async def cause(tx: Transaction, events: list[EventEnvelope[Counted]]) -> None:
        await breakable.handle(tx, events)
        tx.arrived(*(str(event.case_id) for event in events))

    async def effect(tx: Transaction, events: list[EventEnvelope[Caused]]) -> None:
        for event in events:
            if await tx.driver.fetchval(f"select true from {tx.service}.effects where case_id = $1", event.case_id):
                await store_effects(tx, [event])
            else:
                tx.wait_for(event, str(event.case_id))

    [the_cause] = a_case(1)
    await world.send(the_cause)
    await consume(world, counted=cause, caused=effect)
    [letter] = await letters(world, 1)
    await world.send(an_event(2, case_id=the_cause.case_id, kind=Caused))
    await until(lambda: world.rows("select 1 from {s}.kept_events"))
    breakable.fails.clear()
    await dead_letter_retry.retry(world.runtime, letter.id)
    assert await world.effects() == [1, 2]
    assert await world.rows("select 1 from {s}.kept_events") == []


async def test_a_type_that_has_become_known_and_is_not_handled_is_nothing_to_do(
    world: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("contracts.catalogue.model_of", {Counted.TYPE: Counted}.get)
    async with poison_producer(world.bootstrap) as producer:
        await send_as_it_is(producer, world.topic, 0, Sent.of(an_event(kind=Caused)))
    await consume(world, counted=store_effects)
    [letter] = await letters(world, 1)
    assert letter.reason_code == "type_unknown"
    monkeypatch.setattr("contracts.catalogue.model_of", {Counted.TYPE: Counted, Caused.TYPE: Caused}.get)
    await dead_letter_retry.retry(world.runtime, letter.id)
    assert await dead_letters.listing(world.database) == []
