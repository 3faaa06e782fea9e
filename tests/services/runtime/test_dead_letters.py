"""Dead letters: kept whole, retried through the same handling, removed only on success."""

from __future__ import annotations

import base64
import uuid
from typing import Any

import pytest

from contracts.envelope import EventEnvelope
from services.runtime import dead_letter_retry, dead_letters
from services.runtime.database import Transaction
from services.runtime.dead_letters import DeadLetterNotFound, reason_for
from services.runtime.problems import PermanentError
from services.runtime.records import StoredRecord, Unreadable, read
from tests.services.runtime.service_under_test import (
    Counted,
    ServiceUnderTest,
    an_event,
    consume,
    store_effects,
    until,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_retry_brings_an_event_back_once_its_cause_is_mended(world: ServiceUnderTest) -> None:
    mended = False

    async def handler(tx: Transaction, events: list[EventEnvelope[Any]]) -> None:
        await store_effects(tx, events)
        if not mended:
            raise PermanentError("The park is closed.", code="closed")

    event = an_event(4)
    await world.send(event)
    await consume(world, counted=handler)
    (letter,) = await until(lambda: dead_letters.listing(world.database))
    assert (letter.reason_code, letter.reason, letter.attempts) == ("closed", "The park is closed.", 1)
    opened = await dead_letters.show(world.runtime, letter.id)
    assert opened.value is not None and base64.b64decode(opened.value) == event.body()

    with pytest.raises(PermanentError):
        await dead_letter_retry.retry(world.runtime, letter.id)
    again = await dead_letters.show(world.runtime, letter.id)
    assert again.attempts == 2 and again.retried_at is not None
    assert await world.effects() == []

    mended = True
    await dead_letter_retry.retry(world.runtime, letter.id)
    assert await world.effects() == [4]
    with pytest.raises(DeadLetterNotFound):
        await dead_letter_retry.retry(world.runtime, letter.id)
    await world.send(event, an_event(5))
    await until(lambda: _handled(world, 5))
    assert sorted(await world.effects()) == [4, 5]


async def test_an_unknown_dead_letter_is_told_as_such(world: ServiceUnderTest) -> None:
    with pytest.raises(DeadLetterNotFound):
        await dead_letters.show(world.runtime, uuid.uuid4())


async def test_a_reason_never_repeats_what_was_sent() -> None:
    secret = "11010519491231002X"
    record = _record(an_event(), value=f'{{"number": "{secret}"}}'.encode())
    with pytest.raises(Unreadable) as unreadable:
        read(record, {Counted.TYPE})
    for error in (unreadable.value, ValueError(secret), PermanentError(f"Person {secret} is unknown.")):
        assert secret not in "".join(reason_for(error))


def _record(event: EventEnvelope[Any], *, value: bytes) -> Any:
    headers = [(name, text.encode()) for name, text in event.headers().items()]
    return StoredRecord("topic", 0, 0, None, headers, value)


async def _handled(world: ServiceUnderTest, number: int) -> bool:
    return number in await world.effects()
