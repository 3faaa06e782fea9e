"""The world folder: where one embedded stack keeps its data, ports, process ids and secrets."""

import fcntl
import json
import os
import random
import shutil
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from deploy.local.ordinary_user import remove_outside
from deploy.local.problem import StackProblem, disk_problem

PROJECT_ROOT = Path(__file__).parents[2]
WORLDS_FOLDER = PROJECT_ROOT / ".onething"
LOCALHOST = "127.0.0.1"

# Below the range from which Linux gives outgoing connections their ports (32768 and up): a remembered
# port would otherwise be taken by any passing client while the stack is down.
PORT_RANGE = range(20000, 30000)


def default_home() -> Path:
    """The folder of the kept world: `ONETHING_HOME`, or `.onething/world` in the project."""
    return Path(os.environ.get("ONETHING_HOME") or WORLDS_FOLDER / "world").resolve()


@dataclass
class World:
    """One stack's folder and what `world.json` remembers of it between starts.

    `processes` holds `{name: {pid, started_at}}`: the start time (seconds since the epoch, of the operating
    system) tells our process from a stranger who was given the same pid later. `holder` is the process that
    took the world last, in the same form. `addresses` (host:port by name) is for a stack that runs elsewhere.
    """

    home: Path
    ports: dict[str, int] = field(default_factory=dict[str, int])
    processes: dict[str, dict[str, float]] = field(default_factory=dict[str, dict[str, float]])
    holder: dict[str, float] = field(default_factory=dict[str, float])
    status: dict[str, Any] = field(default_factory=dict[str, Any])
    addresses: dict[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def open(cls, home: Path) -> "World":
        """Read the world in `home`, or begin an empty one. Raises StackProblem for an unusable disk."""
        world = cls(home=home.resolve())
        try:
            world.logs.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise disk_problem(error) or error from error
        if world.file.exists():
            remembered = json.loads(world.file.read_text())
            world.ports = remembered["ports"]
            world.processes = remembered["processes"]
            world.holder = remembered["holder"]
            world.status = remembered["status"]
            world.addresses = remembered.get("addresses", {})
        return world

    @property
    def file(self) -> Path:
        return self.home / "world.json"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def secrets(self) -> Path:
        return self.home / "secrets"

    def save(self) -> None:
        """Write `world.json` whole or not at all."""
        beside = self.file.with_suffix(".json.new")
        names = ("ports", "processes", "holder", "status", "addresses")
        remembered = {name: getattr(self, name) for name in names}
        try:
            beside.write_text(json.dumps(remembered, indent=2, default=str))
            beside.replace(self.file)
        except OSError as error:
            raise disk_problem(error) or error from error

    def port(self, name: str, *, taken_by_us: bool = False) -> int:
        """The port remembered for `name`, or a new free one when there is none or a stranger has it."""
        remembered = self.ports.get(name)
        if remembered and (taken_by_us or _is_free(remembered)):
            return remembered
        self.ports[name] = self._free_port()
        self.save()
        return self.ports[name]

    def address(self, name: str) -> str:
        """host:port of `name`, whose port or address must be known."""
        return self.addresses.get(name) or f"{LOCALHOST}:{self.ports[name]}"

    def url(self, name: str) -> str:
        """The HTTP address of the process `name`."""
        return f"http://{self.address(name)}"

    def wipe(self) -> None:
        """Forget everything: the next start is on a fresh world. The caller holds the lock."""
        remove_outside(self.home)
        for entry in self.home.iterdir() if self.home.exists() else ():
            if entry.name == "lock":
                continue
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        self.logs.mkdir(parents=True)
        self.ports, self.processes, self.holder, self.status = {}, {}, {}, {}

    def _free_port(self) -> int:
        ours = set(self.ports.values())
        for port in random.sample(PORT_RANGE, k=len(PORT_RANGE)):
            if port not in ours and _is_free(port):
                return port
        raise StackProblem(
            "no_free_port",
            f"No free port between {PORT_RANGE.start} and {PORT_RANGE.stop - 1} on {LOCALHOST}. "
            "Stop something that listens there and run it again.",
        )


class WorldLock:
    """Held by the one process that runs a world; the operating system frees it when that process dies."""

    def __init__(self, home: Path) -> None:
        self._path = home / "lock"
        self._file: TextIO | None = None

    def take(self) -> bool:
        """Take the lock if nobody holds it; say whether it is ours."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = self._path.open("a")
        except OSError as error:
            raise disk_problem(error) or error from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._file = file
        return True

    def release(self) -> None:
        if self._file:
            self._file.close()
            self._file = None


def is_running(home: Path) -> bool:
    """Whether some process runs the world in `home` now."""
    if not (home / "lock").exists():
        return False
    lock = WorldLock(home)
    free = lock.take()
    lock.release()
    return not free


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # Hazard: without it, connections of the last run still in TIME_WAIT make our own port look taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOCALHOST, port))
        except OSError:
            return False
        return True
