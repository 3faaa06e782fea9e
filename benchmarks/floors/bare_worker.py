"""A worker for the bare workflow with the settings of ours.

    FLOOR_TEMPORAL=localhost:7233 python -m benchmarks.floors.bare_worker
"""

from __future__ import annotations

import asyncio
import os
import signal

from temporalio.client import Client
from temporalio.worker import Worker

from benchmarks.floors.bare_workflow import QUEUE, BareWorkflow, read_nothing
from contracts.processes import NAMESPACE
from workflows.worker import sandbox


async def run() -> None:
    """Work until SIGTERM."""
    client = await Client.connect(os.environ["FLOOR_TEMPORAL"], namespace=NAMESPACE)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with Worker(client, task_queue=QUEUE, workflows=[BareWorkflow], activities=[read_nothing],
                      workflow_runner=sandbox(), no_remote_activities=True):
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(run())
