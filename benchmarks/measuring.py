"""What is measured of either side: commit times from Postgres itself, and processor time from outside."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import asyncpg
import psutil

from deploy.local.problem import StackProblem

POLL_SECONDS = 0.1
LONGEST_STANDSTILL_SECONDS = 60.0


SUBMITTED = "intake.cases"
HOPS = {"approval": "approval.awards", "disbursement": "disbursement.awards"}
LAST_HOP = "bank"
"""Tables with a `case_id`, the same on both sides: the commit that wrote the row is when the case got there."""


@dataclass(frozen=True)
class Ends:
    """Where a case ends: a table with a `case_id`, and which of its rows count."""

    accepted: str
    accepted_where: str = "true"


@dataclass(frozen=True)
class Used:
    """Processor seconds by process, and the share of the machine that went to others."""

    cpu_seconds: dict[str, float]
    others_percent: float


@dataclass(frozen=True)
class Timing:
    """One measured load."""

    cases: int
    seconds: float
    """From the first case handed in to the commit that accepted the last payment."""
    latencies_ms: list[float]
    """Per case, from intake's commit to the commit that accepted the payment."""
    hops_ms: dict[str, list[float]]
    """The same cut at each hop: from the commit before it to its own; `bank` is the last."""
    cpu_ms_per_case: dict[str, float]
    others_percent: float
    """How much of the machine somebody else used meanwhile: where it is much, only a repetition tells."""

    @property
    def cases_per_second(self) -> float:
        return self.cases / self.seconds


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of the values does not exceed (nearest rank)."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


async def accepted_count(connection: asyncpg.Connection, ends: Ends) -> int:
    """How many payments the bank has accepted."""
    count: int | None = await connection.fetchval(f"select count(*) from {_accepted(ends)}")
    return count or 0


def _accepted(ends: Ends) -> str:
    return f"{ends.accepted} where {ends.accepted_where}"


async def wait_for_accepted(connection: asyncpg.Connection, ends: Ends, wanted: int) -> None:
    """Return when that many payments are accepted. Raises StackProblem when nothing moves any more."""
    seen, seen_at = -1, time.monotonic()
    while (count := await accepted_count(connection, ends)) < wanted:
        if count != seen:
            seen, seen_at = count, time.monotonic()
        elif time.monotonic() - seen_at > LONGEST_STANDSTILL_SECONDS:
            raise StackProblem(
                "benchmark_stands_still",
                f"{count} of {wanted} payments were accepted, then none for {LONGEST_STANDSTILL_SECONDS:.0f} s. "
                "Look for the first error in the logs of the benchmark's world.",
            )
        await asyncio.sleep(POLL_SECONDS)


async def timing_since(
    connection: asyncpg.Connection, ends: Ends, started_at: datetime, used: Used
) -> Timing:
    """The timing of the cases submitted since then."""
    hops = (*HOPS, LAST_HOP)
    tables = {"submitted": SUBMITTED, **HOPS, LAST_HOP: _accepted(ends)}
    commits = ", ".join(
        f"{name} as (select case_id, pg_xact_commit_timestamp(xmin) as at from {table})"
        for name, table in tables.items()
    )
    rows = await connection.fetch(
        f"with {commits} select {', '.join(f'{name}.at as {name}' for name in tables)} from submitted "
        f"{' '.join(f'join {hop} using (case_id)' for hop in hops)} where submitted.at >= $1",
        started_at,
    )
    return Timing(
        cases=len(rows),
        seconds=(max(row[LAST_HOP] for row in rows) - started_at).total_seconds(),
        latencies_ms=[_ms(row[LAST_HOP] - row["submitted"]) for row in rows],
        hops_ms={hop: [_ms(row[hop] - row[before]) for row in rows]
                 for before, hop in pairwise(("submitted", *hops))},
        cpu_ms_per_case={name: seconds * 1000 / len(rows) for name, seconds in used.cpu_seconds.items()},
        others_percent=used.others_percent,
    )


def _ms(duration: timedelta) -> float:
    return duration.total_seconds() * 1000


class CpuMeter:
    """Processor time that named processes, with their children, use between two readings."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._processes = {name: psutil.Process(pid) for name, pid in pids.items()}
        self._began_at = time.monotonic()
        self._machine = _machine_seconds()
        self._before = self._read()

    def used(self) -> Used:
        """What was used since the start, user and system together."""
        now = self._read()
        ours = {
            name: sum(max(0.0, seconds - self._before[name].get(pid, 0.0)) for pid, seconds in read.items())
            for name, read in now.items()
        }
        available = (time.monotonic() - self._began_at) * (psutil.cpu_count() or 1)
        others = max(0.0, _machine_seconds() - self._machine - sum(ours.values()))
        return Used(ours, 100 * others / available)

    def _read(self) -> dict[str, dict[int, float]]:
        return {name: dict(map(_cpu_seconds, _family(process))) for name, process in self._processes.items()}


def _machine_seconds() -> float:
    times = psutil.cpu_times()
    return times.user + times.system


def _family(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _cpu_seconds(process: psutil.Process) -> tuple[int, float]:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return process.pid, 0.0
    return process.pid, times.user + times.system
