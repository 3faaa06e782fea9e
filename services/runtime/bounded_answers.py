"""Whatever another party answers, only so much of it is read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final, cast

import httpx

ANSWER_BYTES_MAX: Final = 16 * 1024 * 1024


class AnswerTooLarge(httpx.TransportError):
    """The answer is larger than anything the contracts allow."""


class BoundedAnswers(httpx.AsyncBaseTransport):
    """A transport that stops reading an answer where it gets too large."""

    def __init__(self, transport: httpx.AsyncBaseTransport, bytes_max: int = ANSWER_BYTES_MAX) -> None:
        self._transport = transport
        self._bytes_max = bytes_max

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        # Hazard: a compressed answer of a few bytes can unfold to any size; it is bounded as it is sent.
        request.headers["Accept-Encoding"] = "identity"
        response = await self._transport.handle_async_request(request)
        if response.headers.get("Content-Encoding", "identity") != "identity":
            await response.aclose()
            raise AnswerTooLarge("The answer is compressed although none was asked for.")
        response.stream = _Bounded(cast(httpx.AsyncByteStream, response.stream), self._bytes_max)
        return response

    async def aclose(self) -> None:
        await self._transport.aclose()


class _Bounded(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream, bytes_max: int) -> None:
        self._stream = stream
        self._bytes_left = bytes_max

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            self._bytes_left -= len(part)
            if self._bytes_left < 0:
                raise AnswerTooLarge("The answer is larger than the contracts allow.")
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()
