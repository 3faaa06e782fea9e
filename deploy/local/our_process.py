"""A process of ours (service, worker, actor, keeper) as a part of the stack, beside the embedded servers."""

import asyncio
import sys
import time

import httpx

from deploy.local.child import clean_environment
from deploy.local.component import Component
from deploy.local.infrastructure import Infrastructure
from deploy.local.process_table import Entry, environment
from deploy.local.world import PROJECT_ROOT

READY_POLL_SECONDS = 0.1


class OurProcess(Component):
    """Started with exactly the settings of its table entry; ready when `GET /ready` says so."""

    ready_bound_seconds = 120.0

    def __init__(self, entry: Entry, infrastructure: Infrastructure, http: httpx.AsyncClient) -> None:
        self.name = entry.name
        self.entry = entry
        super().__init__(infrastructure.world)
        self._infrastructure = infrastructure
        self._http = http

    async def start(self) -> None:
        self._infrastructure.data_folder(self.name).mkdir(parents=True, exist_ok=True)
        self.child.spawn(self.command(), environment=self.environment(), cwd=PROJECT_ROOT)
        await self._wait_until_ready()

    def command(self) -> list[str]:
        """What to run."""
        return [sys.executable, "-m", self.entry.module]

    def environment(self) -> dict[str, str]:
        """With which variables."""
        settings = environment(self.entry, self._infrastructure)
        return {**clean_environment(), **settings, "PYTHONUNBUFFERED": "1"}

    async def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + self.ready_bound_seconds
        while not await self._is_ready():
            if not self.child.alive:
                raise self._failed(f"ended with code {self.child.exit_code} before it was ready")
            if time.monotonic() > deadline:
                raise self._failed(f"was not ready within {self.ready_bound_seconds:.0f} s")
            await asyncio.sleep(READY_POLL_SECONDS)

    async def _is_ready(self) -> bool:
        try:
            return (await self._http.get(f"{self.world.url(self.name)}/ready")).is_success
        except httpx.HTTPError:
            return False
