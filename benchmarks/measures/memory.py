"""Memory of a stack that is up, by the share of each process (PSS), and the seconds from `onething up` to ready."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from benchmarks.harness.servers import new_home
from benchmarks.harness.two_sides import Progress
from benchmarks.result import Figure, Result, alone
from deploy.local.infrastructure import COMPONENTS
from deploy.local.ordinary_user import remove_outside
from deploy.local.problem import StackProblem
from deploy.local.process_table import PROCESSES
from deploy.local.world import PROJECT_ROOT, World

KB_PER_GB = 1_000_000 / 1.024
PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)
SETTLED_SECONDS = 10.0
"""After getting ready, so that nobody is still starting."""
SANDBOX = frozenset(entry.name for entry in PROCESSES if entry.kind == "actor")


async def measure(cases: int, progress: Progress) -> Result:
    """Gigabytes without the sandbox, and how long it takes to get ready. The number of cases plays no part."""
    home = new_home()
    try:
        progress("up on a fresh world")
        async with _up(home) as fresh_seconds:
            progress("settling")
            await asyncio.sleep(SETTLED_SECONDS)
            shares = _shares(World.open(home))
        progress("up again")
        async with _up(home) as again_seconds:
            pass
    finally:
        remove_outside(home)
        shutil.rmtree(home, ignore_errors=True)
    parts = {name: gigabytes for name, gigabytes in shares.items() if name not in SANDBOX}
    figures: dict[str, Figure] = {
        "total": alone(sum(parts.values()), "GB"),
        "ready": alone(again_seconds, "s"),
        "ready_fresh": alone(fresh_seconds, "s"),
        **{f"total.{name}": alone(gigabytes, "GB") for name, gigabytes in sorted(parts.items())},
        "sandbox": alone(sum(shares[name] for name in SANDBOX), "GB"),
    }
    return Result(figures=figures, notes=[
        f"Proportional set size of each process and its children, {SETTLED_SECONDS:.0f} s after the stack was ready "
        "with nothing to do. `total` leaves the sandbox city out and has the clock keeper in. `ready` is `onething up` "
        "on a world that was up before, `ready_fresh` on an empty one, where the database and its schemas are made.",
    ])


@asynccontextmanager
async def _up(home: Path) -> AsyncIterator[float]:
    """A stack of its own, up; the seconds that took."""
    began_at = time.monotonic()
    await _onething("up", home)
    seconds = time.monotonic() - began_at
    try:
        yield seconds
    finally:
        await _onething("down", home)


async def _onething(command: str, home: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy.cli", command, cwd=PROJECT_ROOT, env={**os.environ, "ONETHING_HOME": str(home)},
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )
    _, told = await process.communicate()
    if process.returncode:
        raise StackProblem("benchmark_failed", told.decode(errors="replace").strip().splitlines()[-1])


def _shares(world: World) -> dict[str, float]:
    """Gigabytes by part of the stack. Raises StackProblem where the system does not tell."""
    pids = {name: int(world.processes[name]["pid"]) for name in (*COMPONENTS, *(entry.name for entry in PROCESSES))}
    return {name: _share(name, pid) for name, pid in pids.items()}


def _share(name: str, pid: int) -> float:
    process = psutil.Process(pid)
    try:
        family = (process, *process.children(recursive=True))
        told = [Path(f"/proc/{one.pid}/smaps_rollup").read_text() for one in family]
    except OSError as error:
        raise StackProblem("memory_unknown", f"The memory of {name} cannot be read ({type(error).__name__}). This "
                           "measure needs Linux, and the user who runs the stack.") from None
    return sum(int(kb) for text in told for kb in PSS.findall(text)) / KB_PER_GB
