"""What a small emergency costs with a million cases stored, beside what it costs with ten thousand."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from benchmarks.catalogue import CASES
from benchmarks.harness.journeys import Journey, Timing
from benchmarks.harness.load import Load
from benchmarks.harness.processes import Processes, processes
from benchmarks.harness.servers import servers, settle
from benchmarks.harness.stored_cases import store
from benchmarks.harness.two_sides import CPU, REPEATS, Progress, System, others
from benchmarks.measures.small_emergency import BATCH, HANDS, LOADED_INTAKE, TAKING_PART, WARM_UP_CASES
from benchmarks.result import Figure, Result, beside
from contracts.envelope import new_id
from deploy.local import database_setup

STORED = 1_000_000
STORED_FLOOR = 10_000
STATISTICS_SECONDS = 1.5
"""A backend of Postgres tells its statistics at most once a second."""


@dataclass(frozen=True)
class Cost:
    """The median of several loads on one number of stored cases."""

    timing: Timing
    database_ms_per_case: float
    fill_seconds: float


async def measure(cases: int, progress: Progress) -> Result:
    """Cost per case in processor and database time. Raises StackProblem when a part fails or stands still."""
    many = max(STORED * cases // CASES, STORED_FLOOR)
    few = await _cost(STORED_FLOOR, cases, progress)
    full = await _cost(many, cases, progress)
    figures: dict[str, Figure] = {
        "cpu": beside(full.timing.all_cpu_ms, few.timing.all_cpu_ms, CPU),
        "database": beside(full.database_ms_per_case, few.database_ms_per_case, "database ms"),
        "throughput": beside(full.timing.cases_per_second, few.timing.cases_per_second, "cases/s"),
        **{f"cpu.{name}": beside(cpu_ms, few.timing.cpu_ms_per_case.get(name), CPU)
           for name, cpu_ms in sorted(full.timing.cpu_ms_per_case.items())},
        "others": others(full.timing.others_percent, few.timing.others_percent),
    }
    return Result(figures=figures, notes=[
        f"{cases} small emergencies in batches of {BATCH}, median of {REPEATS}, with {many} closed cases in the tables "
        f"of all services (filled in {full.fill_seconds:.0f} s) and with {STORED_FLOOR}; `database` is the time in "
        "which Postgres was at work for a session, waits included.",
    ])


async def _cost(stored: int, cases: int, progress: Progress) -> Cost:
    progress(f"{stored} stored: filling")
    async with servers() as running:
        # The tables first: they are truncated while they are filled, which no process of ours would bear.
        await database_setup.migrate(running.postgres)
        began_at = time.monotonic()
        await store(running.database_dsn("admin"), stored)
        fill_seconds = time.monotonic() - began_at
        progress(f"{stored} stored: start")
        async with processes(running, TAKING_PART, LOADED_INTAKE) as ours:
            system = System(ours, "emergency", _journey_after(new_id()))
            progress(f"{stored} stored: warm-up")
            await system.measure(Load(WARM_UP_CASES, BATCH, hands=HANDS))
            progress(f"{stored} stored: measuring")
            costs: list[tuple[Timing, float]] = []
            for _ in range(REPEATS):
                await settle(running)
                before = await _database_ms(ours)
                timing = await system.measure(Load(cases, BATCH, hands=HANDS))
                costs.append((timing, (await _database_ms(ours) - before) / cases))
    timing = sorted((timing for timing, _ in costs), key=lambda timing: timing.all_cpu_ms)[REPEATS // 2]
    return Cost(timing, sorted(database_ms for _, database_ms in costs)[REPEATS // 2], fill_seconds)


def _journey_after(new: UUID) -> Journey:
    """The small emergency's journey of cases younger than this id: to count them costs no walk through the stored."""
    return Journey(f"intake.cases where case_id > '{new}'", {
        "approval": f"approval.awards where award_id > '{new}'",
        "disbursement": f"disbursement.awards where award_id > '{new}'",
        "bank": f"disbursement.payments where payment_id > '{new}' and state = 'accepted'",
    })


async def _database_ms(ours: Processes) -> float:
    """How long sessions of the system's database were at work so far."""
    await asyncio.sleep(STATISTICS_SECONDS)
    worked: Any = await ours.connection.fetchval(
        "select active_time from pg_stat_database where datname = current_database()")
    return worked
