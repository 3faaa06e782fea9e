"""A case's way through either side, timed by the commits that Postgres itself remembers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import asyncpg

from benchmarks.harness.processor_time import Used
from deploy.local.problem import StackProblem

POLL_SECONDS = 0.1
LONGEST_STANDSTILL_SECONDS = 60.0
SUBMITTED = "submitted"


@dataclass(frozen=True)
class Journey:
    """Tables with a `case_id`, in order: the commit that wrote a case's row is when the case got there.

    Hops have the same names on both sides. A table may be narrowed: `disbursement.payments where state = 'accepted'`.
    """

    submitted: str
    hops: Mapping[str, str]

    @property
    def end(self) -> str:
        """The table of the last hop."""
        return list(self.hops.values())[-1]


@dataclass(frozen=True)
class Timing:
    """One measured load."""

    cases: int
    seconds: float
    """From the first case handed in to the commit of the last at its end."""
    latencies_ms: list[float]
    """Per case, from the commit that submitted it to the commit at its end."""
    hops_ms: dict[str, list[float]]
    """The same cut at each hop: from the commit before it to its own."""
    cpu_ms_per_case: dict[str, float]
    others_percent: float
    """How much of the machine somebody else used meanwhile: where it is much, only a repetition tells."""

    @property
    def cases_per_second(self) -> float:
        """The throughput."""
        return self.cases / self.seconds

    @property
    def all_cpu_ms(self) -> float:
        """Processor time per case of all processes together."""
        return sum(self.cpu_ms_per_case.values())


async def arrived_count(connection: asyncpg.Connection, journey: Journey) -> int:
    """How many cases are at the journey's end."""
    return await count_of(connection, f"select count(*) from {journey.end}")


async def count_of(connection: asyncpg.Connection, count_sql: str) -> int:
    """The one number a query answers."""
    counted: Any = await connection.fetchval(count_sql)
    return counted


async def wait_until_arrived(connection: asyncpg.Connection, journey: Journey, wanted: int) -> None:
    """Return when that many cases are at the end. Raises StackProblem when nothing moves any more."""
    await wait_for_count(connection, f"select count(*) from {journey.end}", wanted)


async def wait_for_count(
    connection: asyncpg.Connection, count_sql: str, wanted: int, *, poll_seconds: float = POLL_SECONDS
) -> None:
    """Return when the count has come to `wanted`. Raises StackProblem when it does not grow any more."""
    seen, seen_at = -1, time.monotonic()
    while (count := await count_of(connection, count_sql)) < wanted:
        if count != seen:
            seen, seen_at = count, time.monotonic()
        elif time.monotonic() - seen_at > LONGEST_STANDSTILL_SECONDS:
            raise StackProblem(
                "benchmark_stands_still",
                f"{count} of {wanted} came to their end ({count_sql}), then none for "
                f"{LONGEST_STANDSTILL_SECONDS:.0f} s. Look for the first error in the logs of the benchmark's world.",
            )
        await asyncio.sleep(poll_seconds)


async def timing_since(
    connection: asyncpg.Connection, journey: Journey, started_at: datetime, used: Used
) -> Timing:
    """The timing of the cases submitted since then."""
    tables = {SUBMITTED: journey.submitted, **journey.hops}
    commits = ", ".join(
        f"{name} as (select case_id, pg_xact_commit_timestamp(xmin) as at from {table})"
        for name, table in tables.items()
    )
    rows = await connection.fetch(
        f"with {commits} select {', '.join(f'{name}.at as {name}' for name in tables)} from {SUBMITTED} "
        f"{' '.join(f'join {hop} using (case_id)' for hop in journey.hops)} where {SUBMITTED}.at >= $1",
        started_at,
    )
    last = list(journey.hops)[-1]
    return Timing(
        cases=len(rows),
        seconds=(max(row[last] for row in rows) - started_at).total_seconds(),
        latencies_ms=[_ms(row[last] - row[SUBMITTED]) for row in rows],
        hops_ms={hop: [_ms(row[hop] - row[before]) for row in rows] for before, hop in pairwise(tables)},
        cpu_ms_per_case={name: seconds * 1000 / len(rows) for name, seconds in used.cpu_seconds.items()},
        others_percent=used.others_percent,
    )


def _ms(duration: timedelta) -> float:
    return duration.total_seconds() * 1000
