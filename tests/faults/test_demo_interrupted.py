"""`onething demo` interrupted or killed leaves no process and no locked port, and the next start works."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.faults.copied_tree import copy_tree
from tests.faults.tables import Table

BOUND_SECONDS = 180.0
POLL_SECONDS = 0.1
TABLE = Table(
    "The demo interrupted", rows="while it", columns="by",
    about="`onething demo` is ended in the middle: no process is left, no port is locked, and the next one works.",
)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the project with the shortest story only, so that its demo disturbs no other."""
    copied = copy_tree(tmp_path_factory.mktemp("demo") / "copy")
    for story in (copied / "tests" / "journeys" / "stories").glob("*.yaml"):
        if story.stem != "C3":
            story.unlink()
    yield copied
    for process in of_tree(copied):
        process.kill()


def demo(tree: Path) -> subprocess.Popen[bytes]:
    with (tree / "demo.log").open("ab") as log:
        return subprocess.Popen([tree / "onething", "demo"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/")


def world(tree: Path) -> dict[str, Any]:
    """What the demo's world remembers; nothing where it has not begun."""
    file = tree / ".onething" / "demo" / "world.json"
    return json.loads(file.read_text()) if file.exists() else {"ports": {}, "processes": {}, "holder": {}, "status": {}}


def of_tree(tree: Path) -> list[psutil.Process]:
    """Processes that run in the copy or were started with something of it."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if str(tree) in " ".join([process.cwd(), *process.cmdline()]):
                found.append(process)
    return found


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + BOUND_SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(POLL_SECONDS)


def is_starting(tree: Path, pid: int) -> bool:
    """Servers run, and not yet all of our processes."""
    known = world(tree)
    return known["holder"].get("pid") == pid and "intake" in known["processes"]


def is_playing(tree: Path, pid: int) -> bool:
    known = world(tree)
    return known["holder"].get("pid") == pid and bool(known["status"].get("up"))


def get_to(tree: Path, reached: Callable[[Path, int], bool], running: subprocess.Popen[bytes]) -> None:
    """Wait until a demo has reached a point, as long as it runs."""
    until(lambda: reached(tree, running.pid) or running.poll() is not None, "the demo did not get that far")
    assert running.poll() is None, (tree / "demo.log").read_text()[-2000:]


def nothing_is_left(tree: Path, started: set[psutil.Process]) -> None:
    def gone() -> bool:
        # Hazard: an orphan that nobody waits for stays a zombie where the first process does not reap; it is dead.
        left = [process for process in started if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]
        return not left and not [each for each in of_tree(tree) if each.status() != psutil.STATUS_ZOMBIE]

    until(lambda: no_error(gone), "processes are left")
    # Hazard: a killed JVM is a zombie once its first thread is gone; its sockets close with the last one.
    until(lambda: all(map(is_free, world(tree)["ports"].values())), "ports are locked")


def no_error(condition: Callable[[], bool]) -> bool:
    try:
        return condition()
    except psutil.NoSuchProcess:  # it left while it was looked at
        return False


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


@pytest.mark.cell(TABLE, row="{reached.__name__}", column="{number.name}")
@pytest.mark.parametrize("reached", [is_starting, is_playing])
@pytest.mark.parametrize("number", [
    signal.SIGINT, signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.faults_long),
])
def test_nothing_is_left_of_an_interrupted_demo(
    tree: Path, reached: Callable[[Path, int], bool], number: signal.Signals
) -> None:
    running = demo(tree)
    try:
        get_to(tree, reached, running)
        started = {psutil.Process(running.pid), *psutil.Process(running.pid).children(recursive=True)}
        os.kill(running.pid, number)
        assert running.wait(BOUND_SECONDS) != 0
    finally:
        running.kill()
        running.wait()
    nothing_is_left(tree, started)


@pytest.mark.cell(TABLE, row="is_playing", column="SIGKILL")
def test_the_next_demo_works(tree: Path) -> None:
    before = demo(tree)
    get_to(tree, is_playing, before)
    before.kill()
    before.wait()
    assert demo(tree).wait(BOUND_SECONDS) == 0, (tree / "demo.log").read_text()[-4000:]
    nothing_is_left(tree, set())
