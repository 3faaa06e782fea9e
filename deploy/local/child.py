"""Child processes: started so that none outlives us, recognised by start time, ended within a bound."""

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

from deploy.local.ordinary_user import OrdinaryUser
from deploy.local.problem import disk_problem
from deploy.local.world import World

PR_SET_PDEATHSIG = 1
STOP_BOUND_SECONDS = 15.0
POLL_SECONDS = 0.02


class Child:
    """One operating-system process of the stack, recorded in the world by name."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log_file(self) -> Path:
        return self.world.logs / f"{self.name}.log"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """None while alive or never started; negative for a signal."""
        return self._process.poll() if self._process else None

    def spawn(
        self,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str],
        user: OrdinaryUser | None = None,
        on_parent_death: signal.Signals = signal.SIGKILL,
        cwd: Path | None = None,
    ) -> None:
        """Start the process; its output is appended to the log.

        Call it from the main thread: Linux sends the parent-death signal when the *thread* that made the
        child ends, not when the process does.
        """
        try:
            log = self.log_file.open("ab")
        except OSError as error:
            raise disk_problem(error) or error from error
        with log:
            self._process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                cwd=cwd,
                start_new_session=True,
                user=user.uid if user else None,
                group=user.gid if user else None,
                extra_groups=[] if user else None,
                # Hazard: between fork and exec only calls that take no lock of another thread are safe.
                preexec_fn=_die_with_parent(on_parent_death),  # noqa: PLW1509
            )
        with contextlib.suppress(psutil.NoSuchProcess):
            started_at = psutil.Process(self._process.pid).create_time()
            self.world.processes[self.name] = {"pid": self._process.pid, "started_at": started_at}
        self.world.save()

    async def stop(self, first: signal.Signals = signal.SIGTERM, bound_seconds: float = STOP_BOUND_SECONDS) -> None:
        """Ask the process to leave; end it when it has not left within the bound."""
        if self.alive:
            self._signal(first)
            if not await self._left(bound_seconds):
                self._signal(signal.SIGKILL)
                await self._left(bound_seconds)
        self._forget()

    async def kill(self) -> None:
        """End the process at once, as a crash would."""
        self._signal(signal.SIGKILL)
        await self._left(STOP_BOUND_SECONDS)
        self._forget()

    def log_tail(self, lines: int = 15) -> str:
        """The last lines of the log, for a person to see why it did not start."""
        if not self.log_file.exists():
            return ""
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-lines:])

    def _signal(self, number: signal.Signals) -> None:
        if self._process and self._process.poll() is None:
            self._process.send_signal(number)

    async def _left(self, bound_seconds: float) -> bool:
        deadline = asyncio.get_running_loop().time() + bound_seconds
        while self.alive:
            if asyncio.get_running_loop().time() > deadline:
                return False
            await asyncio.sleep(POLL_SECONDS)
        return True

    def _forget(self) -> None:
        if self.world.processes.pop(self.name, None):
            self.world.save()


def clean_environment() -> dict[str, str]:
    """Our environment without what would steer the children: settings of other stacks, Java, proxies."""
    steering = ("ONETHING_", "TEMPORAL_", "JAVA_", "JDK_JAVA_", "_JAVA_", "PG")
    proxies = {"http_proxy", "https_proxy", "all_proxy", "classpath"}
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(steering) and name.lower() not in proxies
    }


def end_leftovers(world: World) -> list[str]:
    """End what an earlier run left alive and return the names; a recycled pid is never touched."""
    left: list[str] = []
    for name, record in world.processes.items():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            process = psutil.Process(int(record["pid"]))
            if process.create_time() == record["started_at"]:
                process.kill()
                process.wait(STOP_BOUND_SECONDS)
                left.append(name)
    world.processes = {}
    world.save()
    return left


def _die_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def between_fork_and_exec() -> None:
        libc.prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:
            os._exit(1)  # the parent died before prctl: nobody would tell us

    return between_fork_and_exec
