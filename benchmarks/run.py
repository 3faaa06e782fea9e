"""One run: the floor and then the system, on the same servers, each on a fresh database and fresh topics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import asyncpg

from benchmarks.floor_run import floor
from benchmarks.load import Load
from benchmarks.measuring import Timing
from benchmarks.report import Report, Side, report_of
from benchmarks.servers import servers
from benchmarks.small_emergency import system
from deploy.local.infrastructure import Infrastructure

CASES = 3_000
WARM_UP_CASES = 300
BATCH = 200
HANDS = 2
REPEATS = 3
"""Of the throughput, whose median counts: a neighbour on the machine may spoil one of them."""
PACED_PER_SECOND = 20.0
PACED_SECONDS = 15

STEPS = ("servers", "floor: warm-up", "floor: throughput", "floor: latency", "system: start", "system: warm-up",
         "system: throughput", "system: latency", "system: where the time goes")


class Measured(Protocol):
    """Either side."""

    async def measure(self, load: Load) -> Timing:
        """Send a load through and time it."""
        ...


Progress = Callable[[str], None]
"""Told each of STEPS when it begins."""


async def run(cases: int, progress: Progress) -> Report:
    """Measure both sides. Raises StackProblem when a part does not start or stands still."""
    warm_up, all_at_once = Load(WARM_UP_CASES, BATCH, hands=HANDS), Load(cases, BATCH, hands=HANDS)
    paced = Load(int(PACED_PER_SECOND * PACED_SECONDS), per_second=PACED_PER_SECOND)
    step = iter(STEPS)
    progress(next(step))
    async with servers() as running:
        progress(next(step))
        async with floor(running) as bare:
            await bare.measure(warm_up)
            progress(next(step))
            floor_throughput = await _median_throughput(bare, all_at_once, running)
            progress(next(step))
            floor_side = Side(floor_throughput, await bare.measure(paced))
        progress(next(step))
        async with system(running) as ours:
            progress(next(step))
            await ours.measure(warm_up)
            progress(next(step))
            our_throughput = await _median_throughput(ours, all_at_once, running)
            progress(next(step))
            our_side = Side(our_throughput, await ours.measure(paced))
            progress(next(step))
            samples = await ours.sample(all_at_once)
    return report_of(our_side, floor_side, samples)


async def _median_throughput(side: Measured, load: Load, servers: Infrastructure) -> Timing:
    timings: list[Timing] = []
    for _ in range(REPEATS):
        await _settle(servers)
        timings.append(await side.measure(load))
    return sorted(timings, key=lambda timing: timing.cases_per_second)[REPEATS // 2]


async def _settle(servers: Infrastructure) -> None:
    """Write out what earlier loads left in memory, so that no checkpoint of theirs falls into the measure."""
    connection = await asyncpg.connect(servers.database_dsn("admin", "postgres"))
    try:
        await connection.execute("checkpoint")
    finally:
        await connection.close()
