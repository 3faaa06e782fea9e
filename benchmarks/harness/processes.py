"""Processes of ours on running servers, started so that they can be asked where their time goes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import httpx

from benchmarks.harness.processor_time import CpuMeter
from benchmarks.harness.servers import server_pids
from benchmarks.result import Samples
from deploy.local import database_setup, legal_clock
from deploy.local.child import Child
from deploy.local.infrastructure import Infrastructure
from deploy.local.our_process import OurProcess
from deploy.local.process_table import PROCESSES, Entry

LEGAL_START = datetime(2026, 3, 4, 15, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
SAMPLES_POLL_SECONDS = 0.05
SAMPLES_WITHIN_SECONDS = 10.0


class SampledProcess(OurProcess):
    """A process of the table. A `number` above 1 is one more of the same service, beside the first."""

    def __init__(
        self, entry: Entry, servers: Infrastructure, http: httpx.AsyncClient, *, number: int = 1
    ) -> None:
        super().__init__(entry, servers, http)
        if number > 1:
            self.name = f"{entry.name}-{number}"
            self.child = Child(servers.world, self.name)
            servers.world.port(self.name)

    @property
    def samples_file(self) -> Path:
        """Written when sampling ends."""
        return self.world.home / f"{self.name}.samples.json"

    def command(self) -> list[str]:
        return [sys.executable, "-m", "benchmarks.harness.sampled", self.entry.module, str(self.samples_file)]

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "ONETHING_HTTP_PORT": str(self.world.ports[self.name])}

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
        return Samples.model_validate_json(self.samples_file.read_bytes())

    def _send(self, number: signal.Signals) -> None:
        if self.child.pid is None or not self.child.alive:
            raise self._failed("is not running")
        os.kill(self.child.pid, number)


class Processes:
    """Some processes of the table, up and running, and a connection that sees every place."""

    def __init__(self, servers: Infrastructure, connection: asyncpg.Connection, entries: Sequence[Entry]) -> None:
        self.connection = connection
        self.servers = servers
        self.http = httpx.AsyncClient(timeout=None, trust_env=False)
        self.running = {entry.name: SampledProcess(entry, servers, self.http) for entry in entries}

    async def start(self) -> None:
        """Start them and return when all are ready."""
        await asyncio.gather(*(process.start() for process in self.running.values()))

    async def start_another(self, name: str, number: int) -> None:
        """One more process of a service that runs."""
        another = SampledProcess(self.running[name].entry, self.servers, self.http, number=number)
        self.running[another.name] = another
        await another.start()

    async def stop(self) -> None:
        """Stop them."""
        await asyncio.gather(*(process.stop() for process in self.running.values()))
        await self.http.aclose()

    def url(self, name: str) -> str:
        """Where a process answers."""
        return self.servers.world.url(name)

    async def post(
        self, name: str, path: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> Any:
        """Ask a process. Raises httpx.HTTPStatusError where it refuses."""
        response = await self.http.post(self.url(name) + path, json=body, headers=headers)
        return response.raise_for_status().json() if response.content else None

    @property
    def pids(self) -> dict[str, int]:
        """Process ids, by name."""
        return {name: process.child.pid for name, process in self.running.items() if process.child.pid}

    def meter(self) -> CpuMeter:
        """Processor time from now on: theirs and the servers'."""
        return CpuMeter({**server_pids(self.servers), **self.pids})

    async def sampled(self, work: Awaitable[Any]) -> dict[str, Samples]:
        """Do the work and see what each process does meanwhile."""
        # Hazard: a worker computes in threads of its own, and only the main thread can be looked at.
        looked_at = {name: process for name, process in self.running.items() if process.entry.kind != "worker"}
        for process in looked_at.values():
            process.begin_sampling()
        await work
        return {name: await process.end_sampling() for name, process in looked_at.items()}


@asynccontextmanager
async def processes(
    servers: Infrastructure, names: Sequence[str], modules: Mapping[str, str] | None = None
) -> AsyncIterator[Processes]:
    """The named processes of the table on migrated schemas, some with another module than the table's."""
    await database_setup.migrate(servers.postgres)
    keeper = await asyncpg.connect(servers.database_dsn("keeper"))
    try:
        await legal_clock.leap(keeper, LEGAL_START, kind="start", reason="the benchmark begins here")
    finally:
        await keeper.close()
    connection = await asyncpg.connect(servers.database_dsn("admin"))
    # Hazard: row level security binds table owners too where it is forced; the counts need every place.
    await connection.execute("select set_config('onething.jurisdiction', '*', false)")
    for entry in PROCESSES:
        servers.world.port(entry.name)
    instead = modules or {}
    running = Processes(servers, connection, [
        replace(entry, module=instead.get(entry.name, entry.module)) for entry in PROCESSES if entry.name in names
    ])
    try:
        await running.start()
        yield running
    finally:
        await running.stop()
        await connection.close()
