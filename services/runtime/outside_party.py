"""How an outside party's behaviour is read, and how what it cannot take is kept from holding up the rest."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from services.runtime.clients import Body, NoAnswer, Refused, ServiceClient

ItemT = TypeVar("ItemT")
AnswerT = TypeVar("AnswerT", bound=BaseModel)

REFUSED_FOR_CONTENT: Final = frozenset({400, 409, 413, 422})
"""Statuses that speak about what was sent; every other refusal (401, 404 …) is about us as a caller."""
MISSES_IN_A_ROW_MAX: Final = 24
"""Halving 1,000 down to one takes ten; whoever takes nothing this often in a row takes nothing at all."""


class PartyFailed(Exception):
    """The party gave no usable answer; asking again later may help. `reason` goes on record.

    `reached` is False where nobody even took the connection.
    """

    def __init__(self, reason: str, *, reached: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.reached = reached


class BatchRefused(Exception):
    """The party refuses what this batch holds: sending the same again cannot help. `reason` goes on record."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


async def post_to_party(
    client: ServiceClient, path: str, body: Body, *, seconds_max: float, idempotent: bool = False
) -> httpx.Response:
    """A party's response (2xx). Raises PartyFailed or BatchRefused."""
    try:
        async with asyncio.timeout(seconds_max):
            return await client.post(path, body, idempotent=idempotent)
    except TimeoutError:
        raise PartyFailed("timeout") from None
    except NoAnswer as error:
        raise PartyFailed(f"no_answer: {error.cause}", reached=error.reached) from None
    except Refused as refused:
        reason = f"request_refused: HTTP {refused.status}"
        if refused.status in REFUSED_FOR_CONTENT:
            raise BatchRefused(reason) from None
        raise PartyFailed(reason) from None


def read_answer(response: httpx.Response, kind: type[AnswerT]) -> AnswerT:
    """The response as a message. Raises PartyFailed where it is none."""
    try:
        return kind.model_validate_json(response.content)
    except ValidationError:
        # Hazard: the message of this error repeats what the party sent.
        raise PartyFailed("response_not_readable") from None


async def send_apart(
    items: Sequence[ItemT],
    send: Callable[[Sequence[ItemT]], Awaitable[None]],
    set_aside: Callable[[ItemT, BatchRefused | PartyFailed], Awaitable[None]],
) -> None:
    """Send all; where a batch fails, send its halves, until what the party cannot take is alone and set aside.

    `send` posts and records, raising PartyFailed or BatchRefused; `set_aside` records one item and why. Raises
    PartyFailed where it is the party that fails, whatever it is sent: what was recorded until then stays.
    """
    batches = [list(items)]
    misses = 0
    something_passed = False
    while batches:
        batch = batches.pop()
        try:
            await send(batch)
            misses, something_passed = 0, True
            continue
        except (BatchRefused, PartyFailed) as error:
            misses += 1
            # Without anything that passed, or out of reach, it is the party that fails and not what it was sent.
            in_doubt = isinstance(error, PartyFailed) and not (something_passed and error.reached)
            if misses > MISSES_IN_A_ROW_MAX or (in_doubt and (len(batch) == 1 or not _reached(error))):
                raise PartyFailed(error.reason, reached=_reached(error)) from None
            fault = error
        if len(batch) == 1:
            await set_aside(batch[0], fault)
            continue
        # Shuffled, so that faulty items side by side do not look like a party that refuses everything.
        random.shuffle(batch)
        if in_doubt:
            # One, by chance: if it passes, the fault lies in another; if not, most likely in the party.
            probe = batch.pop()
            try:
                await send([probe])
            except BatchRefused as refused:
                await set_aside(probe, refused)
            misses, something_passed = 0, True
        middle = (len(batch) + 1) // 2
        batches += [half for half in (batch[middle:], batch[:middle]) if half]


def _reached(error: BatchRefused | PartyFailed) -> bool:
    return not isinstance(error, PartyFailed) or error.reached
