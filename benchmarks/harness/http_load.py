"""Sends prepared requests over many connections, each as soon as the one before is answered.

A client library would take more processor time than what is measured; this one writes bytes that were made ready
before and reads no more of an answer than its status and length.

    LOAD_HEADERS='Authorization: …' python -m benchmarks.harness.http_load 8001 /applications 32 bodies.jsonl out.json
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import uvloop
from pydantic import BaseModel

from deploy.local.world import LOCALHOST

CREATED = b"201"
LENGTH = b"content-length:"


class Sent(BaseModel):
    """What one load came to."""

    seconds: float
    latencies_ms: list[float]
    cpu_seconds: float
    """Of this process, for it must not be what limits the figure."""
    all_cpu_seconds: float
    """The same with what it took to get ready."""
    refused: int
    """Answers other than 201."""
    others_percent: float = 0.0
    """Of the machine, by strangers meanwhile; whoever started this process knows."""


def requests(path: str, bodies: Path, headers: str) -> list[bytes]:
    """One request per line of the file; each with a key of its own."""
    head = f"POST {path} HTTP/1.1\r\nHost: {LOCALHOST}\r\nContent-Type: application/json\r\n{headers}"
    return [
        f"{head}\r\nIdempotency-Key: {bodies.stem}-{number}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        for number, body in enumerate(bodies.read_bytes().splitlines())
    ]


async def send(port: int, connections: int, prepared: list[bytes]) -> Sent:
    """Send everything and wait for the last answer."""
    latencies_ms: list[float] = []
    refused: list[bytes] = []
    pairs = [await asyncio.open_connection(LOCALHOST, port) for _ in range(connections)]
    waiting = iter(prepared)
    began_at, cpu_before = time.perf_counter(), time.process_time()
    await asyncio.gather(*(_send_over(*pair, waiting, latencies_ms, refused) for pair in pairs))
    seconds, cpu_seconds = time.perf_counter() - began_at, time.process_time() - cpu_before
    for _, writer in pairs:
        writer.close()
    for answer in refused[:1]:
        print(answer.decode(errors="replace"), file=sys.stderr)
    return Sent(seconds=seconds, latencies_ms=latencies_ms, cpu_seconds=cpu_seconds,
                all_cpu_seconds=time.process_time(), refused=len(refused))


async def _send_over(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, waiting: Iterator[bytes],
    latencies_ms: list[float], refused: list[bytes],
) -> None:
    for request in waiting:
        asked_at = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        lower = head.lower()
        start = lower.index(LENGTH) + len(LENGTH)
        body = await reader.readexactly(int(lower[start : lower.index(b"\r", start)]))
        latencies_ms.append((time.perf_counter() - asked_at) * 1000)
        if head.split(b" ", 2)[1] != CREATED:
            refused.append(head + body)


def main() -> None:
    """Port, path, connections, file of bodies (one JSON a line), file for the outcome."""
    port, path, connections, bodies, outcome = sys.argv[1:]
    prepared = requests(path, Path(bodies), os.environ["LOAD_HEADERS"])
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sent = runner.run(send(int(port), int(connections), prepared))
    Path(outcome).write_text(sent.model_dump_json())


if __name__ == "__main__":
    main()
