"""The embedded servers on which the floor and the system are measured one after the other."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from deploy.local import infrastructure
from deploy.local.infrastructure import Infrastructure
from deploy.local.problem import StackProblem


@asynccontextmanager
async def servers() -> AsyncIterator[Infrastructure]:
    """Postgres, Kafka and Temporal in a new world in the system's temp folder; the folder goes when all went well."""
    home = new_home()
    running = await infrastructure.start(home, fresh=True)
    keep_logs = False
    try:
        await keep_commit_times(running)
        yield running
    except StackProblem:
        keep_logs = True  # the problem's sentence names them
        raise
    finally:
        await running.stop()
        if not keep_logs:
            running.world.wipe()
            shutil.rmtree(home, ignore_errors=True)


def new_home() -> Path:
    """An empty folder for a world, in the system's temp folder."""
    home = Path(tempfile.mkdtemp(prefix="onething-bench-"))
    home.chmod(0o711)  # PostgreSQL may run as another user, who must find the way to its data
    return home


async def keep_commit_times(servers: Infrastructure) -> None:
    """Let Postgres remember when each transaction was committed: the one clock both sides are measured by."""
    connection = await asyncpg.connect(servers.database_dsn("admin", "postgres"))
    try:
        await connection.execute("alter system set track_commit_timestamp = on")
    finally:
        await connection.close()
    await servers.postgres.stop()
    await servers.postgres.start()


async def settle(servers: Infrastructure) -> None:
    """Write out what earlier loads left in memory, so that no checkpoint of theirs falls into the measure."""
    connection = await asyncpg.connect(servers.database_dsn("admin", "postgres"))
    try:
        await connection.execute("checkpoint")
    finally:
        await connection.close()


def server_pids(servers: Infrastructure) -> dict[str, int]:
    """The servers that are running, by name."""
    return {name: part.child.pid for name, part in servers.components.items() if part.child.pid is not None}
