"""Both sides of a measure: the same loads through the floor and through the system, and their figures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Protocol

from benchmarks.harness.categories import CATEGORIES
from benchmarks.harness.journeys import Journey, Timing, arrived_count, timing_since, wait_until_arrived
from benchmarks.harness.load import Load
from benchmarks.harness.processes import Processes
from benchmarks.harness.servers import settle
from benchmarks.result import P50, P99, Figure, Samples, alone, beside, percentile, shares
from deploy.local.infrastructure import Infrastructure

REPEATS = 3
"""Of a throughput, whose median counts: a neighbour on the machine may spoil one of them."""
CPU = "CPU ms"

Progress = Callable[[str], None]
"""Told what begins now."""


class Measured(Protocol):
    """Either side."""

    async def measure(self, load: Load) -> Timing:
        """Send a load through and time it."""
        ...


class System:
    """Our side: forms of one kind, handed in to intake's own use case."""

    def __init__(
        self, running: Processes, kind: str, journey: Journey,
        *, before_each: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._running = running
        self._before_each = before_each
        self._kind = kind
        self._journey = journey
        self._first = 0

    async def measure(self, load: Load) -> Timing:
        """Send a load through and time it."""
        if self._before_each is not None:
            await self._before_each()
        await self._make_forms(load)
        meter = self._running.meter()
        started_at = await self._send(load)
        return await timing_since(self._running.connection, self._journey, started_at, meter.used())

    async def sample(self, load: Load) -> dict[str, Samples]:
        """Send a load through and see what each process does meanwhile."""
        await self._make_forms(load)
        return await self._running.sampled(self._send(load))

    async def _make_forms(self, load: Load) -> None:
        await self._running.post("intake", "/forms", {"kind": self._kind, "first": self._first, "cases": load.cases})
        self._first += load.cases

    async def _send(self, load: Load) -> datetime:
        """Hand the forms in and return when all cases are at their end; when the first was handed in."""
        wanted = await arrived_count(self._running.connection, self._journey) + load.cases
        answer = await self._running.post("intake", "/load", asdict(load))
        await wait_until_arrived(self._running.connection, self._journey, wanted)
        return datetime.fromisoformat(answer["started_at"])


@dataclass(frozen=True)
class Side:
    """The two timings of the floor or of the system."""

    throughput: Timing
    latency: Timing


async def measure_side(
    side: Measured, servers: Infrastructure, progress: Progress, *, name: str, warm_up: Load, at_once: Load, paced: Load
) -> Side:
    """Warm up, then the median of several throughputs, then the latency."""
    progress(f"{name}: warm-up")
    await side.measure(warm_up)
    progress(f"{name}: throughput")
    timings: list[Timing] = []
    for _ in range(REPEATS):
        await settle(servers)
        timings.append(await side.measure(at_once))
    progress(f"{name}: latency")
    median = sorted(timings, key=lambda timing: timing.cases_per_second)[REPEATS // 2]
    return Side(median, await side.measure(paced))


def compared(system: Side, floor: Side, throughput: str = "throughput") -> dict[str, Figure]:
    """Both sides beside each other; processes that only one side has stand alone."""
    fast, bare = system.throughput, floor.throughput
    figures = {
        throughput: beside(fast.cases_per_second, bare.cases_per_second, "cases/s"),
        "latency_p50": _latency(system, floor, P50),
        "latency_p99": _latency(system, floor, P99),
    }
    for hop, milliseconds in system.latency.hops_ms.items():
        figures[f"latency_p50.{hop}"] = beside(
            percentile(milliseconds, P50), percentile(floor.latency.hops_ms[hop], P50), "ms")
    figures["cpu_per_case"] = beside(fast.all_cpu_ms, bare.all_cpu_ms, CPU)
    for name, cpu_ms in sorted(fast.cpu_ms_per_case.items()):
        figures[f"cpu_per_case.{name}"] = beside(cpu_ms, bare.cpu_ms_per_case.get(name), CPU)
    for name, ours, theirs in (("throughput", fast, bare), ("latency", system.latency, floor.latency)):
        figures[f"others.{name}"] = others(ours.others_percent, theirs.others_percent)
    return figures


def others(ours: float, floor: float | None = None) -> Figure:
    """How much of the machine went to others while the system and while the floor were measured."""
    return Figure(value=round(ours, 1), floor=None if floor is None else round(floor, 1), ratio=None,
                  unit="% of machine, by others")


def time_figures(samples: Mapping[str, Samples]) -> dict[str, Figure]:
    """Where the time goes, over all processes."""
    return {f"time.{name}": alone(share, "% of CPU") for name, share in shares(samples, CATEGORIES).items()}


def _latency(system: Side, floor: Side, share: float) -> Figure:
    return beside(percentile(system.latency.latencies_ms, share), percentile(floor.latency.latencies_ms, share), "ms")
