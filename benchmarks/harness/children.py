"""Programs of the benchmark's own, each in a process beside the system: loads, floors, the city around."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx

from deploy.local.child import Child, clean_environment
from deploy.local.infrastructure import Infrastructure
from deploy.local.problem import StackProblem
from deploy.local.world import LOCALHOST, PROJECT_ROOT

POLL_SECONDS = 0.02
READY_WITHIN_SECONDS = 60.0


def spawn(child: Child, module: str, *arguments: object, environment: Mapping[str, str] | None = None) -> None:
    """Start a module as a program."""
    child.spawn([sys.executable, "-m", module, *map(str, arguments)],
                environment={**clean_environment(), **(environment or {})}, cwd=PROJECT_ROOT)


async def run_to_end(
    servers: Infrastructure, name: str, module: str, *arguments: object, environment: Mapping[str, str] | None = None
) -> None:
    """Run a module and return when it has ended. Raises StackProblem where it ends with an error."""
    child = Child(servers.world, name)
    spawn(child, module, *arguments, environment=environment)
    try:
        while child.alive:  # noqa: ASYNC110  # a process sets no event
            await asyncio.sleep(POLL_SECONDS)
    finally:
        await child.stop()
    if child.exit_code:
        raise _failed(child)


@asynccontextmanager
async def running(
    servers: Infrastructure, name: str, module: str, *arguments: object, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Child]:
    """A module that runs until the block ends."""
    child = Child(servers.world, name)
    spawn(child, module, *arguments, environment=environment)
    try:
        yield child
    finally:
        await child.stop()


async def wait_until_serving(child: Child, port: int) -> None:
    """Return when the program answers `GET /ready`. Raises StackProblem where it ends or never does."""
    async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(READY_WITHIN_SECONDS):
        while True:
            try:
                (await client.get(f"http://{LOCALHOST}:{port}/ready")).raise_for_status()
                return
            except httpx.TransportError:
                if not child.alive:
                    raise _failed(child) from None
                await asyncio.sleep(POLL_SECONDS)


def _failed(child: Child) -> StackProblem:
    return StackProblem("benchmark_failed", f"{child.name} ended with an error; see {child.log_file}.")
