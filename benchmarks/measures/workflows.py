"""Item workflows with clock and notice a second, beside bare ones with as many timers, signals and activities."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Protocol

import asyncpg
from temporalio.client import Client
from temporalio.worker import Worker

from benchmarks.catalogue import CASES
from benchmarks.harness import children
from benchmarks.harness.answering_services import Activities, BareServices, OurServices
from benchmarks.harness.processes import processes
from benchmarks.harness.processor_time import CpuMeter
from benchmarks.harness.servers import server_pids, servers
from benchmarks.harness.two_sides import CPU, REPEATS, Progress, others
from benchmarks.result import Figure, Result, beside
from contracts.processes import NAMESPACE, Leap
from deploy.local import legal_clock
from deploy.local.infrastructure import Infrastructure
from services.runtime.payloads import data_converter

WORKFLOWS = 300
WARM_UP_WORKFLOWS = 20
STARTED_AT_ONCE = 16
"""As many as coordination's bridge starts at a time."""
WORKER = "workflows"


class Services(Protocol):
    """Either side's."""

    @property
    def queues(self) -> dict[str, Activities]:
        """Activities by task queue."""
        ...

    async def start(self) -> Any:
        """Start one workflow; its handle."""
        ...


@dataclass(frozen=True)
class Completed:
    """What one load came to."""

    per_second: float
    cpu_ms_each: dict[str, float]
    others_percent: float


async def measure(cases: int, progress: Progress) -> Result:
    """Workflows completed a second. Raises StackProblem when a part fails."""
    count = max(WARM_UP_WORKFLOWS, WORKFLOWS * cases // CASES)
    progress("servers")
    async with servers() as running:
        theirs = await _floor(running, count, progress)
        ours = await _system(running, count, progress)
    figures: dict[str, Figure] = {
        "completed": beside(ours.per_second, theirs.per_second, "workflows/s"),
        **{f"cpu_per_workflow.{name}": beside(cpu_ms, theirs.cpu_ms_each.get(name), CPU)
           for name, cpu_ms in sorted(ours.cpu_ms_each.items())},
        "others": others(ours.others_percent, theirs.others_percent),
    }
    return Result(figures=figures, notes=[
        f"{count} workflows at a time, median of {REPEATS}; each five activities, four timers of which one fires after "
        "a second or two, three signals, one local activity. The activities of both sides are answered at once by the "
        "benchmark's process (`services`); ours also encrypt payloads, keep search attributes and read the legal clock "
        "from Postgres.",
    ])


async def _floor(running: Infrastructure, count: int, progress: Progress) -> Completed:
    client = await Client.connect(running.temporal_address, namespace=NAMESPACE)
    environment = {"FLOOR_TEMPORAL": running.temporal_address}
    async with children.running(running, "floor-workflows", "benchmarks.floors.bare_worker",
                                environment=environment) as worker:
        pids = {**server_pids(running), WORKER: worker.pid or 0}
        return await _median(BareServices(client), client, count, pids, lambda step: progress(f"floor: {step}"))


async def _system(running: Infrastructure, count: int, progress: Progress) -> Completed:
    progress("system: start")
    async with processes(running, (WORKER,)) as ours:
        client = await Client.connect(running.temporal_address, namespace=NAMESPACE,
                                      data_converter=data_converter(running.secrets.symmetric_key("PAYLOAD_KEY")))
        services, pids = OurServices(client, await _leap(running)), {**server_pids(running), **ours.pids}
        return await _median(services, client, count, pids, lambda step: progress(f"system: {step}"))


async def _leap(running: Infrastructure) -> Leap:
    connection = await asyncpg.connect(running.database_dsn("keeper"))
    try:
        reading = await legal_clock.read(connection)
        return Leap(number=reading.leap_number, offset_us=reading.offset_us)
    finally:
        await connection.close()


async def _median(
    services: Services, client: Client, count: int, pids: Mapping[str, int], progress: Progress
) -> Completed:
    async with AsyncExitStack() as workers:
        for queue, activities in services.queues.items():
            await workers.enter_async_context(Worker(client, task_queue=queue, activities=activities))
        progress("warm-up")
        await _completed(services, WARM_UP_WORKFLOWS, pids)
        progress("throughput")
        loads = [await _completed(services, count, pids) for _ in range(REPEATS)]
    return sorted(loads, key=lambda load: load.per_second)[REPEATS // 2]


async def _completed(services: Services, count: int, pids: Mapping[str, int]) -> Completed:
    slots = asyncio.Semaphore(STARTED_AT_ONCE)

    async def start() -> Any:
        async with slots:
            return await services.start()

    meter, services_before, began_at = CpuMeter(pids), _own_cpu_seconds(), time.monotonic()
    handles = await asyncio.gather(*(start() for _ in range(count)))
    await asyncio.gather(*(handle.result() for handle in handles))
    seconds, used, services_seconds = time.monotonic() - began_at, meter.used(), _own_cpu_seconds() - services_before
    cpu_seconds = {**used.cpu_seconds, "services": services_seconds}
    return Completed(count / seconds, {name: 1000 * spent / count for name, spent in cpu_seconds.items()},
                     used.others_without(services_seconds))


def _own_cpu_seconds() -> float:
    """Of this process: the servers are its children, so that it cannot be one of the meter's families."""
    times = os.times()
    return times.user + times.system
