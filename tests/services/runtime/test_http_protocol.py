"""What stands around a body is bounded, on a real socket."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import uvicorn
from starlette.types import Receive, Scope, Send

from services.runtime.http_protocol import HEAD_MAX_BYTES, BoundedHttp

WITHIN_SECONDS = 10
LONG = b"x" * (HEAD_MAX_BYTES + 1)
BODY = b"x" * (4 * HEAD_MAX_BYTES)
POST = b"POST / HTTP/1.1\r\nHost: here\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def counted(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the length of the body."""
    length, more = 0, True
    while more:
        message = await receive()
        length, more = length + len(message.get("body", b"")), message.get("more_body", False)
    text = str(length).encode()
    await send({"type": "http.response.start", "status": 200,
                "headers": [(b"content-length", str(len(text)).encode())]})
    await send({"type": "http.response.body", "body": text})


@pytest_asyncio.fixture(loop_scope="session")
async def port() -> AsyncIterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(counted, http=BoundedHttp, lifespan="off", log_config=None))
    serving = asyncio.create_task(server._serve([listener]))
    yield listener.getsockname()[1]
    server.should_exit = True
    await serving


async def answer_to(port: int, *parts: bytes) -> bytes:
    """What comes back before the connection is closed or falls silent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
    answer = b""
    with contextlib.suppress(ConnectionResetError):
        async with asyncio.timeout(WITHIN_SECONDS):
            answer = await reader.read(10_000)
    writer.close()
    return answer


@pytest.mark.parametrize("request_bytes", [
    b"GET /" + LONG, b"GET / HTTP/1.1\r\nHost: here\r\nx-long: " + LONG,
    b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * HEAD_MAX_BYTES, CHUNKED + b"x-trailer: " + LONG,
], ids=["request line", "one header", "many headers", "trailer"])
async def test_a_head_without_an_end_is_refused(port: int, request_bytes: bytes) -> None:
    assert (await answer_to(port, request_bytes)).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("request_bytes", [
    POST + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY,
    POST + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(BODY) + BODY + b"\r\n0\r\n\r\n",
], ids=["of known length", "chunked"])
async def test_a_body_may_be_longer_than_a_head(port: int, request_bytes: bytes) -> None:
    answer = await answer_to(port, request_bytes)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(str(len(BODY)).encode())


async def test_requests_of_one_connection_are_counted_each_by_itself(port: int) -> None:
    head = b"GET / HTTP/1.1\r\nHost: here\r\nx-long: " + LONG[: HEAD_MAX_BYTES // 2] + b"\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(WITHIN_SECONDS):
        for _ in range(4):
            writer.write(head)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
            await reader.readexactly(1)
    writer.close()
