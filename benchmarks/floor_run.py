"""Sets up the floor on running servers, sends cases through it and takes its measures."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from benchmarks.floor import PARTITIONS, STAGES, TOPICS, Stage
from benchmarks.load import Load
from benchmarks.measuring import CpuMeter, Ends, Timing, Used, accepted_count, timing_since, wait_for_accepted
from benchmarks.servers import server_pids
from contracts.envelope import new_id
from deploy.local.child import Child, clean_environment
from deploy.local.infrastructure import Infrastructure
from deploy.local.problem import StackProblem
from deploy.local.world import PROJECT_ROOT

DATABASE = "floor"
INTAKE = "intake"
ENDS = Ends(accepted="bank.accepted")
POLL_SECONDS = 0.02


class Floor:
    """The bare pipeline, up and running."""

    def __init__(self, servers: Infrastructure, connection: asyncpg.Connection) -> None:
        self.connection = connection
        self._servers = servers
        self._prefix = f"floor-{new_id()}."
        self._stages = {name: Child(servers.world, f"floor-{name}") for name in STAGES}

    async def start(self) -> None:
        """Make tables and topics, and start every stage but intake, which is started for each load."""
        for stage in STAGES.values():
            await self.connection.execute(_schema(stage))
        await self.connection.execute("create table intake.loads (started_at timestamptz not null)")
        await _create_topics(self._servers.kafka_bootstrap, [self._prefix + topic for topic in TOPICS])
        for name in STAGES:
            if name != INTAKE:
                self.spawn(name)

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
        return await timing_since(self.connection, ENDS, started_at, used)

    async def send(self, load: Load) -> Used:
        """Send a load through and return when the bank has accepted all; the processor time used meanwhile."""
        wanted = await accepted_count(self.connection, ENDS) + load.cases
        loads = await self._loads()
        self.spawn(INTAKE, *load.arguments())
        while await self._loads() == loads:
            if not self._stages[INTAKE].alive:
                raise StackProblem("floor_failed", f"The floor's intake ended; see {self._stages[INTAKE].log_file}.")
            await asyncio.sleep(POLL_SECONDS)
        meter = CpuMeter({**server_pids(self._servers), **self._pids()})
        await wait_for_accepted(self.connection, ENDS, wanted)
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
            [sys.executable, "-m", "benchmarks.floor", name, *arguments],
            environment={
                **clean_environment(),
                "FLOOR_DSN": self._servers.database_dsn("admin", DATABASE),
                "FLOOR_KAFKA": self._servers.kafka_bootstrap,
                "FLOOR_PREFIX": self._prefix,
            },
            cwd=PROJECT_ROOT,
        )


@asynccontextmanager
async def floor(servers: Infrastructure) -> AsyncIterator[Floor]:
    """The floor on a fresh database and fresh topics; its processes and its database go at the end."""
    await _execute(servers, f"create database {DATABASE}")
    connection = await asyncpg.connect(servers.database_dsn("admin", DATABASE))
    pipeline = Floor(servers, connection)
    try:
        await pipeline.start()
        yield pipeline
    finally:
        await pipeline.stop()
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


async def _create_topics(bootstrap: str, topics: Sequence[str]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([
            NewTopic(name=topic, num_partitions=PARTITIONS, replication_factor=1) for topic in topics
        ])
    finally:
        await admin.close()
