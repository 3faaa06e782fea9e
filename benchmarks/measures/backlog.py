"""A backlog of awards drained by one process of disbursement and by two, beside bare consumers of the same records.

A lock on the inbox is the gate: the consumers have joined, the backlog is written, then the gate opens.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError

from benchmarks.catalogue import CASES
from benchmarks.floors.drain_awards import CREATE, GROUP, SCHEMA
from benchmarks.floors.pipeline import DATABASE, create_topics, floor_database
from benchmarks.harness import children
from benchmarks.harness.journeys import wait_for_count
from benchmarks.harness.processes import processes
from benchmarks.harness.processor_time import CpuMeter
from benchmarks.harness.servers import server_pids, servers, settle
from benchmarks.harness.two_sides import Progress, others, time_figures
from benchmarks.result import Figure, Result, Samples, beside
from contracts.catalogue import AWARD
from deploy.local.infrastructure import Infrastructure
from deploy.local.postgres import DATABASE as SYSTEM_DATABASE

EVENTS = 300_000
WARM_UP_EVENTS = 5_000
FLOOR_TOPIC = "floor-awards"
SERVICE = "disbursement"
JOINED_WITHIN_SECONDS = 60.0
POLL_SECONDS = 0.1
COUNT_SECONDS = 1.0
"""Counting hundreds of thousands of rows takes processor time from those who write them."""
FIGURES = ("one_consumer", "two_consumers")


@dataclass(frozen=True)
class Drained:
    """What one backlog came to."""

    per_second: float
    others_percent: float


@dataclass(frozen=True)
class Drain:
    """One side: where its records are and where its rows go."""

    servers: Infrastructure
    dsn: str
    schema: str
    topic: str
    group: str
    pids: Callable[[], dict[str, int]]
    """Of the consumers there are just then."""
    progress: Callable[[str], None]

    async def drain(self, events: int) -> Drained:
        """Write a backlog behind the closed gate, open it, and wait until all of it is in the table."""
        connection = await asyncpg.connect(self.dsn)
        try:
            wanted = await connection.fetchval(self._count) + events
            await settle(self.servers)
            self.progress("writing the backlog")
            async with self._closed(connection):
                await children.run_to_end(self.servers, "backlog", "benchmarks.harness.award_backlog",
                                          self.servers.kafka_bootstrap, self.topic, events)
                meter = CpuMeter({**server_pids(self.servers), **self.pids()})
                opened_at: Any = await connection.fetchval("select clock_timestamp()")
            self.progress("draining")
            await wait_for_count(connection, self._count, wanted, poll_seconds=COUNT_SECONDS)
            used = meter.used()
            last: Any = await connection.fetchval(
                f"select max(pg_xact_commit_timestamp(xmin)) from {self.schema}.awards")
            return Drained(events / (last - opened_at).total_seconds(), used.others_percent)
        finally:
            await connection.close()

    @property
    def _count(self) -> str:
        return f"select count(*) from {self.schema}.awards"

    @asynccontextmanager
    async def _closed(self, connection: asyncpg.Connection) -> AsyncIterator[None]:
        gate = await asyncpg.connect(self.dsn)
        try:
            async with gate.transaction():
                await gate.execute(f"lock table {self.schema}.inbox in exclusive mode")
                yield
        finally:
            await gate.close()


async def measure(cases: int, progress: Progress) -> Result:
    """Events a second. Raises StackProblem when a part fails or stands still."""
    events = EVENTS * cases // CASES
    progress("servers")
    async with servers() as running:
        theirs = await _floor(running, events, progress)
        ours, samples = await _system(running, events, progress)
    figures: dict[str, Figure] = {}
    for name in FIGURES:
        figures[name] = beside(ours[name].per_second, theirs[name].per_second, "events/s")
        figures[f"{name}.others"] = others(ours[name].others_percent, theirs[name].others_percent)
    return Result(
        figures={**figures, **time_figures(samples)}, samples=samples,
        notes=[f"{events} events of as many cases for each figure, in the topic before the first is handled. Either "
               "side writes one inbox row and one award per event; the system's process also validates each event "
               "against its contract, locks its case, and writes under row level security."],
    )


async def _floor(running: Infrastructure, events: int, progress: Progress) -> dict[str, Drained]:
    async with floor_database(running) as connection, AsyncExitStack() as consumers:
        await connection.execute(CREATE)
        await create_topics(running.kafka_bootstrap, [FLOOR_TOPIC])
        dsn = running.database_dsn("admin", DATABASE)
        environment = {"FLOOR_DSN": dsn, "FLOOR_KAFKA": running.kafka_bootstrap, "FLOOR_TOPIC": FLOOR_TOPIC}

        pids: dict[str, int] = {}

        async def start_another(number: int) -> None:
            consumer = await consumers.enter_async_context(children.running(
                running, f"floor-drain-{number}", "benchmarks.floors.drain_awards", environment=environment))
            pids[consumer.name] = consumer.pid or 0

        drain = Drain(running, dsn, SCHEMA, FLOOR_TOPIC, GROUP, lambda: pids, lambda step: progress(f"floor: {step}"))
        await start_another(1)
        return await _one_and_two(drain, events, start_another)


async def _system(
    running: Infrastructure, events: int, progress: Progress
) -> tuple[dict[str, Drained], dict[str, Samples]]:
    async with processes(running, (SERVICE,)) as ours:
        dsn = running.database_dsn("admin", SYSTEM_DATABASE)
        drain = Drain(running, dsn, SERVICE, AWARD.name, SERVICE, lambda: ours.pids,
                      lambda step: progress(f"system: {step}"))
        rates = await _one_and_two(drain, events, lambda number: ours.start_another(SERVICE, number))
        samples = await ours.sampled(drain.drain(events // 3))
    return rates, samples


async def _one_and_two(
    drain: Drain, events: int, start_another: Callable[[int], Awaitable[None]]
) -> dict[str, Drained]:
    """By the consumer that runs, then by two: warmed up, and with the partitions shared out before."""
    await _until_joined(drain, 1)
    await drain.drain(min(events, WARM_UP_EVENTS))
    one = await drain.drain(events)
    await start_another(2)
    await _until_joined(drain, 2)
    await drain.drain(min(events, WARM_UP_EVENTS))
    return {"one_consumer": one, "two_consumers": await drain.drain(events)}


async def _until_joined(drain: Drain, members: int) -> None:
    """Return when the group has so many members, each with its share."""
    admin = AIOKafkaAdminClient(bootstrap_servers=drain.servers.kafka_bootstrap)
    await admin.start()
    try:
        async with asyncio.timeout(JOINED_WITHIN_SECONDS):
            while await _stable_members(admin, drain.group) < members:  # noqa: ASYNC110  # the broker tells nobody
                await asyncio.sleep(POLL_SECONDS)
    finally:
        await admin.close()


async def _stable_members(admin: AIOKafkaAdminClient, group: str) -> int:
    response: Any
    try:
        [response] = await admin.describe_consumer_groups([group])
    except GroupCoordinatorNotAvailableError:  # the broker's first group is still to be made room for
        return 0
    [(_error, _group, state, _protocol_type, _protocol, members, *_)] = response.groups
    return len(members) if state == "Stable" else 0
