"""A stack of its own for one command: up on a fresh world, gone when the command ends, however it ends."""

import asyncio
import signal
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from deploy.cli.running_stack import RunningStack
from deploy.cli.terminal import start_progress
from deploy.local.supervisor import Supervisor

ResultT = TypeVar("ResultT")


@asynccontextmanager
async def fresh_world(home: Path, legal_start: datetime) -> AsyncIterator[RunningStack]:
    """The stack on an empty world in `home` whose legal time starts at `legal_start`."""
    with start_progress() as progress:
        supervisor = Supervisor(home, progress=progress)
        await supervisor.up(fresh=True, legal_start=legal_start)
    try:
        yield RunningStack(supervisor.world)
    finally:
        await supervisor.down()


def run_to_end(work: Coroutine[None, None, ResultT]) -> ResultT:
    """Run to the end, or clean up on Ctrl-C, SIGTERM and a closed terminal. Raises KeyboardInterrupt then."""

    async def interruptible() -> ResultT:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, task.cancel)
        return await task

    try:
        return asyncio.run(interruptible())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
