"""The system's side: a small emergency (小额快救) from intake to the bank, through the real processes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import httpx

from benchmarks.load import Load
from benchmarks.measuring import CpuMeter, Ends, Timing, accepted_count, timing_since, wait_for_accepted
from benchmarks.servers import server_pids
from deploy.local import database_setup, legal_clock
from deploy.local.child import clean_environment
from deploy.local.infrastructure import Infrastructure
from deploy.local.our_process import OurProcess
from deploy.local.process_table import PROCESSES, data_folder, environment
from deploy.local.world import PROJECT_ROOT

TAKING_PART = ("intake", "approval", "disbursement", "coordination", "bank")
"""A small sum is neither checked nor waited for: verification and the workflow worker have nothing to do."""
LOADED_INTAKE = "benchmarks.loaded_intake"
LEGAL_START = datetime(2026, 3, 4, 15, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
ENDS = Ends(accepted="disbursement.payments", accepted_where="state = 'accepted'")
SAMPLES_POLL_SECONDS = 0.05
SAMPLES_WITHIN_SECONDS = 10.0


@dataclass(frozen=True)
class Samples:
    """What one process was seen doing: counts of samples, in all and by what was on the stack."""

    samples: int
    categories: dict[str, int]
    itself: dict[str, int]
    """By the innermost function of ours, with all the libraries it calls."""
    on_stack: dict[str, int]
    """By every function of ours on the stack."""
    innermost: dict[str, int]
    """By the innermost function, whoever's it is."""


class SampledProcess(OurProcess):
    """A process of the table, started so that it can be asked where its time goes."""

    @property
    def samples_file(self) -> Path:
        """Written when sampling ends."""
        return self.world.home / f"{self.name}.samples.json"

    async def start(self) -> None:
        data_folder(self.world, self.entry).mkdir(parents=True, exist_ok=True)
        self.child.spawn(
            [sys.executable, "-m", "benchmarks.sampled", self.entry.module, self.samples_file],
            environment={**clean_environment(), **environment(self.entry, self._infrastructure)},
            cwd=PROJECT_ROOT,
        )
        await self._wait_until_ready()

    def begin_sampling(self) -> None:
        """Look from now on at what the process does."""
        self.samples_file.unlink(missing_ok=True)
        self._send(signal.SIGUSR1)

    async def end_sampling(self) -> Samples:
        """What it did since then. Raises StackProblem when the process does not answer."""
        self._send(signal.SIGUSR2)
        deadline = time.monotonic() + SAMPLES_WITHIN_SECONDS
        while not self.samples_file.exists():
            if time.monotonic() > deadline:
                raise self._failed("did not write its samples")
            await asyncio.sleep(SAMPLES_POLL_SECONDS)
        return Samples(**json.loads(self.samples_file.read_text()))

    def _send(self, number: signal.Signals) -> None:
        if self.child.pid is None or not self.child.alive:
            raise self._failed("is not running")
        os.kill(self.child.pid, number)


class System:
    """The services that take part, up and running."""

    def __init__(self, servers: Infrastructure, connection: asyncpg.Connection) -> None:
        self.connection = connection
        self._servers = servers
        self._http = httpx.AsyncClient(timeout=None, trust_env=False)
        self._first_person = 0
        entries = {entry.name: entry for entry in PROCESSES}
        entries["intake"] = replace(entries["intake"], module=LOADED_INTAKE)
        for name in entries:
            servers.world.port(name)
        self.processes = {name: SampledProcess(entries[name], servers, self._http) for name in TAKING_PART}

    async def start(self) -> None:
        """Start the processes and return when all are ready."""
        await asyncio.gather(*(process.start() for process in self.processes.values()))

    async def stop(self) -> None:
        """Stop the processes."""
        await asyncio.gather(*(process.stop() for process in self.processes.values()))
        await self._http.aclose()

    async def measure(self, load: Load) -> Timing:
        """Send a load through and time it."""
        await self._make_forms(load)
        meter = CpuMeter({**server_pids(self._servers), **self._pids()})
        started_at = await self._send(load)
        return await timing_since(self.connection, ENDS, started_at, meter.used())

    async def sample(self, load: Load) -> dict[str, Samples]:
        """Send a load through and see what each process does meanwhile."""
        await self._make_forms(load)
        for process in self.processes.values():
            process.begin_sampling()
        await self._send(load)
        return {name: await process.end_sampling() for name, process in self.processes.items()}

    async def _make_forms(self, load: Load) -> None:
        await self._ask_intake("/forms", {"first": self._first_person, "cases": load.cases})
        self._first_person += load.cases

    async def _send(self, load: Load) -> datetime:
        """Hand the forms in and return when the bank has accepted all; when the first was handed in."""
        wanted = await accepted_count(self.connection, ENDS) + load.cases
        answer = await self._ask_intake("/load", asdict(load))
        await wait_for_accepted(self.connection, ENDS, wanted)
        return datetime.fromisoformat(answer.json()["started_at"])

    def _pids(self) -> dict[str, int]:
        return {name: process.child.pid for name, process in self.processes.items() if process.child.pid}

    async def _ask_intake(self, path: str, body: dict[str, Any]) -> httpx.Response:
        response = await self._http.post(self._servers.world.url("intake") + path, json=body)
        return response.raise_for_status()


@asynccontextmanager
async def system(servers: Infrastructure) -> AsyncIterator[System]:
    """The processes of the small emergency on the fresh database and topics of these servers."""
    await database_setup.migrate(servers.postgres)
    keeper = await asyncpg.connect(servers.database_dsn("keeper"))
    try:
        await legal_clock.leap(keeper, LEGAL_START, kind="start", reason="the benchmark begins here")
    finally:
        await keeper.close()
    connection = await asyncpg.connect(servers.database_dsn("admin"))
    # Hazard: row level security binds table owners too where it is forced; the counts need every place.
    await connection.execute("select set_config('onething.jurisdiction', '*', false)")
    running = System(servers, connection)
    try:
        await running.start()
        yield running
    finally:
        await running.stop()
        await connection.close()
