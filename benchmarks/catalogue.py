"""The measures there are, in the order they are run and shown."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Final, cast

from benchmarks.harness.two_sides import Progress
from benchmarks.result import Result

CASES: Final = 3_000
"""Of the small emergency's throughput. The other measures' sizes grow and shrink with it."""


@dataclass(frozen=True)
class Measure:
    """One measure; its module is loaded when it is run."""

    name: str
    title: str
    floor: str
    """What stands beside it, in a few words."""

    async def run(self, cases: int, progress: Progress) -> Result:
        """Measure. Raises StackProblem when a part does not start or stands still."""
        module = import_module(f"benchmarks.measures.{self.name.replace('-', '_')}")
        measure = cast("Callable[[int, Progress], Awaitable[Result]]", module.measure)
        return await measure(cases, progress)


MEASURES: Final = {
    measure.name: measure
    for measure in (
        Measure("small-emergency", "Small emergency 小额快救, from intake to the bank",
                "the same four hops with bare aiokafka and asyncpg: as many rows and events, inbox, outbox, relay"),
        Measure("dibao", "Dibao 低保, submitted to proposed, and a pay day",
                "the same hops and the same source requests with bare aiokafka, asyncpg and httpx"),
        Measure("applications", "POST /applications over 32 connections",
                "a bare FastAPI application that stores the same body and the same rows with asyncpg"),
        Measure("backlog", "A backlog of awards drained by disbursement",
                "bare aiokafka and asyncpg: the inbox, and the same rows by COPY"),
        Measure("workflows", "Item workflows with clock and notice",
                "bare workflows with as many timers, signals and activities on the same server"),
        Measure("growth", "Cost of a case with a million stored", "the same with ten thousand stored"),
        Measure("rulebook", "The rulebook: menus, and a province's register screened",
                "the same rules for one place and day in plain Python, and over the register in NumPy"),
        Measure("memory", "Memory of the stack and its services, and the time to get ready", ""),
    )
}
