"""A process of the stack, armed, that a fork server makes instead of a new interpreter."""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import psutil

from deploy.local.child import Child, clean_environment
from deploy.local.our_process import OurProcess
from deploy.local.world import PROJECT_ROOT
from tests.faults.arms import FOLDER_VARIABLE, KEEPER

NEVER_KILLED = (KEEPER, "player")
"""The clock, and the eyes of the test: these are started as ever, without arms."""


def folder_of(home: Path) -> Path:
    """Where a world's arms lie; beside its `world.json`, which says who has which process id."""
    return home / "arms"


class ArmedProcess(OurProcess):
    """A process of the table with arms at its points."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        if self.name not in NEVER_KILLED:
            self.child = ForkedChild(self.world, self.name)

    def command(self) -> list[str]:
        return super().command() if self.name in NEVER_KILLED else [self.name, self.entry.module]

    def environment(self) -> dict[str, str]:
        return {**super().environment(), FOLDER_VARIABLE: str(folder_of(self.world.home))}


class ForkedChild(Child):
    """A child of the fork server, which ends when that ends, and that ends with us."""

    def spawn(self, command: Any, *, environment: Any, **_: Any) -> None:
        order = {"arguments": command, "environment": dict(environment), "log": str(self.log_file)}
        self._process: Any = Forked(_ask(order))
        self.world.processes[self.name] = {"pid": self._process.pid, "started_at": self._process.started_at}
        self.world.save()


class Forked:
    """As much of a `Popen` as a child needs."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.started_at = psutil.Process(pid).create_time()
        self._ended: int | None = None

    def poll(self) -> int | None:
        if self._ended is None:
            self._ended = _ask({"poll": self.pid})
        return self._ended

    def send_signal(self, number: signal.Signals) -> None:
        # Until it was polled a dead one is kept, so that the id is nobody else's.
        os.kill(self.pid, number)


@cache
def _server() -> subprocess.Popen[str]:
    # Hazard: started in the main thread, for it is to end when that does.
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.fork_server"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=clean_environment(), cwd=PROJECT_ROOT, start_new_session=True,
    )
    assert server.stdout is not None
    assert server.stdout.readline() == "ready\n", "the fork server did not start"
    atexit.register(server.kill)
    return server


def _ask(order: dict[str, Any]) -> Any:
    server = _server()
    assert server.stdin is not None and server.stdout is not None
    server.stdin.write(f"{json.dumps(order)}\n")
    server.stdin.flush()
    return json.loads(server.stdout.readline())
