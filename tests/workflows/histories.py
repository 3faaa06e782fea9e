"""Histories of workflows as a real server recorded them: committed, and replayed against the code of today.

A workflow may run for months, over many versions of its code. Whoever changes the order of its commands puts the
new order behind `workflow.patched(…)`, records the new histories beside the old ones, and keeps the old ones
for as long as such a workflow may still run.
"""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowHandle, WorkflowHistory

FOLDER = Path(__file__).parent / "histories"
RECORDED_BY = "recorder"


def recorded() -> dict[str, WorkflowHistory]:
    """Every history by the name of its file, which begins with the workflow's name."""
    return {
        file.stem: WorkflowHistory.from_json(file.stem, file.read_text(encoding="utf-8"))
        for file in sorted(FOLDER.glob("*.json"))
    }


async def keep(client: Client, handles: list[WorkflowHandle[Any, Any]], test_name: str) -> None:
    """Write down the histories of these workflows' first runs, named after the test that drove them."""
    for number, handle in enumerate(handles, start=1):
        workflow = handle.id.partition("-")[0]
        story = re.sub(r"\W+", "_", test_name.removeprefix("test_")).strip("_")
        name = f"{workflow}.{story}" + (f".{number}" if len(handles) > 1 else "")
        first_run = client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
        history = (await first_run.fetch_history()).to_json()
        (FOLDER / f"{name}.json").write_text(_without_machine(history) + "\n", encoding="utf-8")


def _without_machine(history: str) -> str:
    """On which machine and in whose process it ran says nothing about the commands."""
    for member, instead in (("identity", RECORDED_BY), ("stackTrace", "")):
        history = re.sub(rf'("{member}": )"(?:[^"\\]|\\.)*"', rf'\1"{instead}"', history)
    return re.sub(rf'"\d+@{re.escape(socket.gethostname())}', f'"{RECORDED_BY}', history)
