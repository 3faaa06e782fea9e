"""What `onething up` leaves running: `python -m deploy.local.background HOME [--infrastructure-only]`."""

import asyncio
import signal
import sys
from pathlib import Path

from deploy.local.problem import StackProblem
from deploy.local.supervisor import Supervisor


async def run_until_told(home: Path, *, infrastructure_only: bool) -> None:
    """Up, wait for SIGTERM or SIGINT, down; told while coming up, give up and leave nothing behind."""
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    # Nobody reads the progress here: the command that waits for us reads it in world.json.
    supervisor = Supervisor(home, infrastructure_only=infrastructure_only)
    coming_up = asyncio.create_task(supervisor.up())
    waiting = asyncio.create_task(told.wait())
    await asyncio.wait({coming_up, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if not coming_up.done():
        coming_up.cancel()
        await asyncio.gather(coming_up, return_exceptions=True)
        return
    coming_up.result()
    await waiting
    await supervisor.down()


def main() -> None:
    """Run in the background of a world; the last line of output says why it could not."""
    try:
        asyncio.run(run_until_told(Path(sys.argv[1]), infrastructure_only="--infrastructure-only" in sys.argv))
    except StackProblem as problem:
        sys.exit(f"{problem.code}: {problem.sentence}")


if __name__ == "__main__":
    main()
