"""The floor gives what it is compared for: every case through every stage, exactly once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from benchmarks.floors.pipeline import DATABASE, floor
from benchmarks.floors.stage_process import Message, handle
from benchmarks.floors.stages import DIBAO, EMERGENCY, Pipeline
from benchmarks.harness import children
from benchmarks.harness.load import Load
from benchmarks.harness.processor_time import CpuMeter
from contracts.envelope import new_id
from deploy.local.infrastructure import Infrastructure

CASES = 200
BOUND_SECONDS = 30.0
POLL_SECONDS = 0.05


@asynccontextmanager
async def a_connection(stack: Infrastructure) -> AsyncIterator[asyncpg.Connection]:
    """The pipeline's own connection is busy while it sends."""
    connection = await asyncpg.connect(stack.database_dsn("admin", DATABASE))
    try:
        yield connection
    finally:
        await connection.close()


async def rows_per_case(connection: asyncpg.Connection, pipeline: Pipeline) -> dict[str, set[int]]:
    """How many rows the cases have, by table."""
    return {
        f"{stage.name}.{table}": {
            row["rows"] for row in await connection.fetch(
                f"select count(*) as rows from {stage.name}.{table} group by case_id"
            )
        }
        for stage in pipeline.stages for table in stage.rows
    }


def expected_rows(pipeline: Pipeline) -> dict[str, set[int]]:
    return {f"{stage.name}.{table}": {per_case} for stage in pipeline.stages for table, per_case in stage.rows.items()}


async def cases_in(connection: asyncpg.Connection, table: str) -> int:
    return len(await connection.fetch(f"select distinct case_id from {table}"))


async def until_outboxes_are_empty(connection: asyncpg.Connection, pipeline: Pipeline) -> None:
    names = [stage.name for stage in pipeline.stages]
    deadline = time.monotonic() + BOUND_SECONDS
    while any([await connection.fetchval(f"select exists (select from {name}.outbox)") for name in names]):
        assert time.monotonic() < deadline, "the outboxes do not empty"
        await asyncio.sleep(POLL_SECONDS)


async def until_some_arrived(connection: asyncpg.Connection, table: str, sending: asyncio.Task[object]) -> None:
    deadline = time.monotonic() + BOUND_SECONDS
    while not await connection.fetchval(f"select exists (select from {table})"):
        assert not sending.done(), sending.result()
        assert time.monotonic() < deadline, f"nothing arrives in {table}"
        await asyncio.sleep(POLL_SECONDS)


async def test_every_case_passes_every_stage_once_though_a_stage_is_killed(stack: Infrastructure) -> None:
    async with floor(stack, "emergency") as pipeline, a_connection(stack) as beside:
        sending = asyncio.create_task(pipeline.send(Load(CASES, batch=10)))
        await until_some_arrived(beside, "approval.awards", sending)
        await pipeline.kill("disbursement")
        pipeline.spawn("disbursement")
        await sending
        await until_outboxes_are_empty(pipeline.connection, EMERGENCY)
        assert await rows_per_case(pipeline.connection, EMERGENCY) == expected_rows(EMERGENCY)
        assert await cases_in(pipeline.connection, "bank.accepted") == CASES


async def test_a_dibao_case_passes_every_stage_once_with_every_source_asked(stack: Infrastructure) -> None:
    port = stack.world.port("floor-city")
    module, environment = "benchmarks.harness.instant_city", {"ONETHING_HTTP_PORT": str(port)}
    async with children.running(stack, "floor-city", module, environment=environment) as city:
        await children.wait_until_serving(city, port)
        async with floor(stack, "dibao", city_url=stack.world.url("floor-city")) as pipeline:
            await pipeline.send(Load(CASES, batch=10))
            await until_outboxes_are_empty(pipeline.connection, DIBAO)
            assert await rows_per_case(pipeline.connection, DIBAO) == expected_rows(DIBAO)


async def test_an_event_delivered_again_writes_nothing(stack: Infrastructure) -> None:
    async with floor(stack, "emergency") as pipeline:
        stage, batch = EMERGENCY.stage("bank"), [Message(new_id(), new_id()) for _ in range(3)]
        assert await handle(pipeline.connection, stage, batch) == 3
        assert await handle(pipeline.connection, stage, [*batch, Message(new_id(), new_id())]) == 1
        assert await cases_in(pipeline.connection, "bank.accepted") == 4


def test_processor_time_is_counted_from_the_first_reading(stack: Infrastructure) -> None:
    assert stack.postgres.child.pid is not None
    used = CpuMeter({"postgres": stack.postgres.child.pid}).used()
    assert used.cpu_seconds["postgres"] < BOUND_SECONDS
