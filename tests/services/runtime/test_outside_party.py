"""What a party cannot take is found and set aside; a party that fails altogether is told from a bad item."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from services.runtime.clients import NoAnswer, ServiceClient
from services.runtime.outside_party import (
    BatchRefused,
    PartyFailed,
    post_to_party,
    read_answer,
    send_apart,
)

ITEMS = list(range(500))


class Party:
    """Takes numbers, except some."""

    def __init__(self, *, refuses: set[int] | None = None, fails_on: set[int] | None = None,
                 reached: bool = True) -> None:
        self.refuses, self.fails_on, self.reached = refuses or set(), fails_on or set(), reached
        self.taken: list[int] = []
        self.aside: dict[int, str] = {}
        self.requests_count = 0

    async def send(self, batch: Sequence[int]) -> None:
        self.requests_count += 1
        if self.refuses.intersection(batch):
            raise BatchRefused("refused")
        if self.fails_on.intersection(batch):
            raise PartyFailed("failed", reached=self.reached)
        self.taken += batch

    async def set_aside(self, item: int, fault: BatchRefused | PartyFailed) -> None:
        self.aside[item] = fault.reason


@pytest.fixture(autouse=True)
def the_same_chance_each_time() -> None:
    # The probe of a failing batch is chosen by chance; a chosen culprit would look like a party that is away.
    random.seed(7)


async def test_what_is_taken_whole_is_sent_once():
    party = Party()
    await send_apart(ITEMS, party.send, party.set_aside)
    assert (party.taken, party.requests_count, party.aside) == (ITEMS, 1, {})


@pytest.mark.parametrize("bad", [{0}, {499}, {7, 8, 9, 10, 11, 12}])
async def test_bad_items_are_set_aside_and_each_other_is_sent_once(bad: set[int]):
    for party, reason in ((Party(refuses=bad), "refused"), (Party(fails_on=bad), "failed")):
        await send_apart(ITEMS, party.send, party.set_aside)
        assert sorted(party.taken) == [item for item in ITEMS if item not in bad]
        assert party.aside == dict.fromkeys(bad, reason)


async def test_who_refuses_everything_is_not_asked_about_each_one():
    party = Party(refuses=set(ITEMS))
    with pytest.raises(PartyFailed):
        await send_apart(ITEMS, party.send, party.set_aside)
    assert party.requests_count < 30


@pytest.mark.parametrize(("reached", "requests"), [(True, 2), (False, 1)])
async def test_who_is_away_is_asked_once_more_at_most(reached: bool, requests: int):
    party = Party(fails_on=set(ITEMS), reached=reached)
    with pytest.raises(PartyFailed):
        await send_apart(ITEMS, party.send, party.set_aside)
    assert (party.requests_count, party.aside) == (requests, {})


async def test_a_party_that_fails_on_some_and_refuses_the_others_says_so_of_each():
    party = Party(refuses={1, 2, 3}, fails_on={0})

    async def send(batch: Sequence[int]) -> None:
        if 0 in batch:
            raise PartyFailed("failed")
        await party.send(batch)

    await send_apart([0, 1, 2, 3], send, party.set_aside)
    assert party.aside == {0: "failed", 1: "refused", 2: "refused", 3: "refused"}


async def test_a_single_item_a_party_fails_on_speaks_against_the_party():
    party = Party(fails_on={1})
    with pytest.raises(PartyFailed):
        await send_apart([1], party.send, party.set_aside)


class Greeting(BaseModel):
    hello: str


def a_client(answer: Callable[[httpx.Request], httpx.Response]) -> ServiceClient:
    return ServiceClient("http://party", "party", None, httpx.MockTransport(answer))


@pytest.mark.parametrize(("status", "kind"), [
    (400, BatchRefused), (422, BatchRefused), (401, PartyFailed), (404, PartyFailed), (429, PartyFailed),
    (500, PartyFailed),
])
async def test_only_a_refusal_of_the_content_is_one_of_the_batch(status: int, kind: type[Exception]):
    client = a_client(lambda _: httpx.Response(status))
    with pytest.raises(kind, match=str(status)):
        await post_to_party(client, "/", Greeting(hello="you"), seconds_max=5)


def refuse_connection(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused")


async def test_where_nobody_takes_the_connection_the_party_was_not_reached():
    with pytest.raises(PartyFailed) as failed:
        await post_to_party(a_client(refuse_connection), "/", Greeting(hello="you"), seconds_max=5)
    assert failed.value.reached is False


async def without_end() -> AsyncIterator[bytes]:
    while True:
        yield b" " * 1_000_000


@pytest.mark.parametrize("response", [
    {"content": without_end}, {"content": lambda: b"\x1f\x8b", "headers": {"Content-Encoding": "gzip"}},
])
async def test_an_answer_without_end_or_compressed_is_not_read(response: dict[str, Any]):
    content, headers = response["content"], response.get("headers")

    class Endless(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if headers:
                return httpx.Response(200, headers=headers, stream=httpx.ByteStream(content()))
            return httpx.Response(200, content=content())

    with pytest.raises(NoAnswer, match="AnswerTooLarge"):
        await ServiceClient("http://party", "party", None, Endless()).post("/", Greeting(hello="you"))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"hello": 1}'])
def test_what_is_no_message_is_a_failure_that_repeats_nothing_of_it(content: bytes):
    with pytest.raises(PartyFailed, match=r"^response_not_readable$"):
        read_answer(httpx.Response(200, content=content), Greeting)
