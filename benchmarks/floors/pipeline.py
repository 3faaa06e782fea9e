"""Sets up a floor's pipeline on running servers, sends cases through it and takes its measures."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from benchmarks.floors.relay import PARTITIONS
from benchmarks.floors.stages import PIPELINES, Stage
from benchmarks.harness.journeys import Timing, arrived_count, timing_since, wait_until_arrived
from benchmarks.harness.load import Load
from benchmarks.harness.processor_time import CpuMeter, Used
from benchmarks.harness.servers import server_pids
from contracts.envelope import new_id
from deploy.local.child import Child, clean_environment
from deploy.local.infrastructure import Infrastructure
from deploy.local.problem import StackProblem
from deploy.local.world import PROJECT_ROOT

DATABASE = "floor"
INTAKE = "intake"
POLL_SECONDS = 0.02


class Floor:
    """A bare pipeline, up and running."""

    def __init__(
        self, servers: Infrastructure, connection: asyncpg.Connection, pipeline: str, city_url: str
    ) -> None:
        self.connection = connection
        self.pipeline = PIPELINES[pipeline]
        self._name = pipeline
        self._city_url = city_url
        self._servers = servers
        self._prefix = f"floor-{new_id()}."
        self._stages = {stage.name: Child(servers.world, f"floor-{stage.name}") for stage in self.pipeline.stages}

    async def start(self) -> None:
        """Make tables and topics, and start every stage but intake, which is started for each load."""
        for stage in self.pipeline.stages:
            await self.connection.execute(_schema(stage))
        await self.connection.execute("create table intake.loads (started_at timestamptz not null)")
        await create_topics(self._servers.kafka_bootstrap, [self._prefix + topic for topic in self.pipeline.topics])
        for stage in self.pipeline.stages:
            if stage.name != INTAKE:
                self.spawn(stage.name)

    async def stop(self) -> None:
        """Stop every stage."""
        await asyncio.gather(*(stage.stop() for stage in self._stages.values()))

    async def kill(self, name: str) -> None:
        """End a stage at once, as a crash would; `spawn` starts it again."""
        await self._stages[name].kill()

    async def measure(self, load: Load) -> Timing:
        """Send a load through and time it."""
        used = await self.send(load)
        started_at: Any = await self.connection.fetchval("select max(started_at) from intake.loads")
        return await timing_since(self.connection, self.pipeline.journey, started_at, used)

    async def send(self, load: Load) -> Used:
        """Send a load through and return when all are at their end; the processor time used meanwhile."""
        wanted = await arrived_count(self.connection, self.pipeline.journey) + load.cases
        loads = await self._loads()
        self.spawn(INTAKE, *load.arguments())
        while await self._loads() == loads:
            if not self._stages[INTAKE].alive:
                raise StackProblem("floor_failed", f"The floor's intake ended; see {self._stages[INTAKE].log_file}.")
            await asyncio.sleep(POLL_SECONDS)
        meter = CpuMeter({**server_pids(self._servers), **self._pids()})
        await wait_until_arrived(self.connection, self.pipeline.journey, wanted)
        used = meter.used()
        await self._stages[INTAKE].stop()
        return used

    async def _loads(self) -> int:
        return len(await self.connection.fetch("select from intake.loads"))

    def _pids(self) -> dict[str, int]:
        return {name: stage.pid for name, stage in self._stages.items() if stage.alive and stage.pid}

    def spawn(self, name: str, *arguments: str) -> None:
        """Start the process of a stage."""
        self._stages[name].spawn(
            [sys.executable, "-m", "benchmarks.floors.stage_process", self._name, name, *arguments],
            environment={
                **clean_environment(),
                "FLOOR_DSN": self._servers.database_dsn("admin", DATABASE),
                "FLOOR_KAFKA": self._servers.kafka_bootstrap,
                "FLOOR_PREFIX": self._prefix,
                "FLOOR_CITY": self._city_url,
            },
            cwd=PROJECT_ROOT,
        )


@asynccontextmanager
async def floor(servers: Infrastructure, pipeline: str, *, city_url: str = "") -> AsyncIterator[Floor]:
    """A floor on a fresh database and fresh topics; its processes and its database go at the end."""
    async with floor_database(servers) as connection:
        running = Floor(servers, connection, pipeline, city_url)
        try:
            await running.start()
            yield running
        finally:
            await running.stop()


@asynccontextmanager
async def floor_database(servers: Infrastructure) -> AsyncIterator[asyncpg.Connection]:
    """A database of the floor's own, which goes at the end."""
    await _execute(servers, f"create database {DATABASE}")
    connection = await asyncpg.connect(servers.database_dsn("admin", DATABASE))
    try:
        yield connection
    finally:
        await connection.close()
        await _execute(servers, f"drop database {DATABASE} with (force)")


def _schema(stage: Stage) -> str:
    tables = "".join(
        f"create table {stage.name}.{table} (row_id uuid primary key, case_id uuid not null, body text not null);"
        f"create index on {stage.name}.{table} (case_id);"
        for table in stage.rows
    )
    return f"""
        create schema {stage.name};
        create table {stage.name}.inbox (
            event_id uuid primary key, handled_at timestamptz not null default clock_timestamp()
        );
        create table {stage.name}.outbox (
            id bigint generated always as identity primary key, event_id uuid not null, topic text not null,
            key text not null, value bytea not null
        ) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
        {tables}
    """


async def _execute(servers: Infrastructure, statement: str) -> None:
    connection = await asyncpg.connect(servers.database_dsn("admin", "postgres"))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def create_topics(bootstrap: str, topics: Sequence[str]) -> None:
    """Topics with as many partitions as the catalogue's."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([
            NewTopic(name=topic, num_partitions=PARTITIONS, replication_factor=1) for topic in topics
        ])
    finally:
        await admin.close()
