"""One stage of a floor's pipeline, on aiokafka and asyncpg alone.

It writes as many rows per case and stage as the system does and gives the same guarantees: a transaction per batch,
an inbox, an outbox with a relay under an advisory lock, acknowledged batches in order per partition. It has no
framework, no rules, no encryption, and nobody who only follows the case.

    python -m benchmarks.floors.stage_process emergency approval
    python -m benchmarks.floors.stage_process emergency intake --cases 300 --batch 200
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import orjson
import uvloop
from aiokafka import AIOKafkaConsumer

from benchmarks.floors.relay import EVENT_ID_HEADER, Relay, idempotent_producer
from benchmarks.floors.stages import PIPELINES, Stage
from benchmarks.harness.load import moments
from contracts.benefits import Source
from contracts.envelope import new_id

RECORDS_PER_BATCH = 500
CONSUMER_POLL_MS = 200
FETCH_WAIT_MS = 100
SESSION_MS = 6_000
BODY = "x" * 200
"""About what a row of ours carries besides its ids."""
EVENT = b"x" * 700
"""About the size of our events, headers included."""
LEGAL_TIME = "2026-03-04T07:30:00Z"


@dataclass(frozen=True)
class Message:
    """One event of one case."""

    event_id: UUID
    case_id: UUID


async def handle(connection: asyncpg.Connection, stage: Stage, batch: Sequence[Message]) -> int:
    """Handle a batch in one transaction, each event once; how many were new."""
    async with connection.transaction():
        claimed = await connection.fetch(
            f"insert into {stage.name}.inbox (event_id) select unnest($1::uuid[]) "
            "on conflict (event_id) do nothing returning event_id",
            [message.event_id for message in batch],
        )
        fresh = {row["event_id"] for row in claimed}
        cases = [message.case_id for message in batch if message.event_id in fresh]
        for table, per_case in stage.rows.items():
            await connection.copy_records_to_table(
                table, schema_name=stage.name, columns=("row_id", "case_id", "body"),
                records=[(new_id(), case_id, BODY) for case_id in cases for _ in range(per_case)],
            )
        if stage.publishes:
            await connection.copy_records_to_table(
                "outbox", schema_name=stage.name, columns=("event_id", "topic", "key", "value"),
                records=[(new_id(), topic, str(case_id), EVENT) for case_id in cases for topic in stage.publishes],
            )
    return len(cases)


async def ask_sources(http: httpx.AsyncClient, city_url: str, cases: int) -> None:
    """Ask every source about so many people at once; raises for an answer that is none."""
    queries = [{"query_id": str(new_id()), "authorisation_number": "1", "person": BODY} for _ in range(cases)]
    body = orjson.dumps({"request_id": str(new_id()), "legal_time": LEGAL_TIME, "queries": queries})
    answers = await asyncio.gather(*(http.post(f"{city_url}/{source}/queries", content=body) for source in Source))
    if any(len(answer.raise_for_status().json()["answers"]) != cases for answer in answers):
        raise ValueError("A source left an answer out.")


async def consume(stage: Stage, dsn: str, relay: Relay, *, bootstrap: str, prefix: str) -> None:
    """Handle the stage's topic until cancelled."""
    connection = await asyncpg.connect(dsn)
    http = httpx.AsyncClient(timeout=None, trust_env=False)
    consumer = AIOKafkaConsumer(
        f"{prefix}{stage.consumes}", bootstrap_servers=bootstrap, group_id=prefix + stage.name,
        enable_auto_commit=False, auto_offset_reset="earliest", fetch_max_wait_ms=FETCH_WAIT_MS,
        session_timeout_ms=SESSION_MS, heartbeat_interval_ms=SESSION_MS // 3,
    )
    await consumer.start()
    try:
        while True:
            polled = await consumer.getmany(timeout_ms=CONSUMER_POLL_MS, max_records=RECORDS_PER_BATCH)
            batch = [_message(record) for records in polled.values() for record in records]
            if batch:
                if stage.asks_sources:
                    await ask_sources(http, os.environ["FLOOR_CITY"], len(batch))
                await handle(connection, stage, batch)
                relay.nudge()
                await consumer.commit()
    finally:
        await consumer.stop()
        await http.aclose()


def _message(record: Any) -> Message:
    return Message(UUID(bytes=dict(record.headers)[EVENT_ID_HEADER]), UUID(record.key.decode()))


async def load(stage: Stage, dsn: str, relay: Relay, arguments: argparse.Namespace) -> None:
    """Hand in made-up cases and note when the first was handed in."""
    messages = [Message(new_id(), new_id()) for _ in range(arguments.cases)]
    connections = [await asyncpg.connect(dsn) for _ in range(arguments.hands)]

    async def hand_in(connection: asyncpg.Connection, part: Sequence[Message]) -> None:
        async for some in moments(part, batch=arguments.batch, per_second=arguments.per_second):
            await handle(connection, stage, some)
            relay.nudge()

    await connections[0].execute("insert into intake.loads (started_at) values (clock_timestamp())")
    await asyncio.gather(*(hand_in(hand, messages[number :: arguments.hands])
                           for number, hand in enumerate(connections)))


async def run(stage: Stage, arguments: argparse.Namespace) -> None:
    """One stage until SIGTERM."""
    dsn, bootstrap, prefix = (os.environ[f"FLOOR_{name}"] for name in ("DSN", "KAFKA", "PREFIX"))
    producer = idempotent_producer(bootstrap)
    await producer.start()
    relay = Relay(stage.name, await asyncpg.connect(dsn), producer, prefix)
    tasks = [asyncio.create_task(relay.run())] if stage.publishes else []
    if stage.consumes:
        tasks.append(asyncio.create_task(consume(stage, dsn, relay, bootstrap=bootstrap, prefix=prefix)))
    else:
        tasks.append(asyncio.create_task(load(stage, dsn, relay, arguments)))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    stopping = asyncio.create_task(stop.wait())
    running = {*tasks, stopping}
    while stopping in running:
        done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for task in done - {stopping}:
            task.result()  # a stage that fails ends the process
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    await producer.stop()


def main() -> None:
    """Run the stage named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pipeline", choices=PIPELINES)
    parser.add_argument("stage")
    parser.add_argument("--cases", type=int, default=0)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--hands", type=int, default=1)
    parser.add_argument("--per-second", type=float, default=None)
    arguments = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run(PIPELINES[arguments.pipeline].stage(arguments.stage), arguments))


if __name__ == "__main__":
    main()
