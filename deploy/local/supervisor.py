"""Starts the whole in order, keeps it alive, and ends it in reverse; nothing of it outlives this process."""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import httpx

from deploy.local import database_setup, infrastructure, legal_clock
from deploy.local.component import Component
from deploy.local.infrastructure import Infrastructure
from deploy.local.our_process import OurProcess
from deploy.local.problem import StackProblem
from deploy.local.process_table import PROCESSES
from deploy.local.world import World

WATCH_SECONDS = 0.2
RESTART_AFTER_SECONDS = 1.0
RESTARTS_WITHIN_SECONDS = 60.0
MAX_RESTARTS = 5

# The keeper comes last and leaves first: it may leap only while everybody else is there to be asked.
START_GROUPS = (("service", "worker", "actor"), ("keeper",))
STOP_GROUPS = (("keeper",), ("actor",), ("worker", "service"))

Progress = Callable[[str, str], None]
"""Told (name, state) whenever a part of the stack changes: `starting`, `ready`, `stopped`, `crashed …`."""


class Supervisor:
    """One running world. `await up()`, then `kill(name)`, `stop(name)` and `start(name)` as tests need."""

    def __init__(
        self,
        home: Path,
        *,
        infrastructure_only: bool = False,
        restart: bool = True,
        process: type[OurProcess] = OurProcess,
        progress: Progress | None = None,
    ) -> None:
        self.home = home.resolve()
        self.infrastructure: Infrastructure
        self._entries = () if infrastructure_only else PROCESSES
        self._restart = restart
        self._process = process
        self._progress = progress or (lambda _name, _state: None)
        self._processes: dict[str, OurProcess] = {}
        self._wanted: set[str] = set()
        self._crashes: dict[str, deque[float]] = defaultdict(lambda: deque[float](maxlen=MAX_RESTARTS))
        self._watcher: asyncio.Task[None] | None = None
        self._restarts: set[asyncio.Task[None]] = set()
        self._http = httpx.AsyncClient(timeout=5, trust_env=False)

    @property
    def world(self) -> World:
        return self.infrastructure.world

    @property
    def parts(self) -> dict[str, Component]:
        """Everything that can be killed and started by name, in the order of starting."""
        return {**self.infrastructure.components, **self._processes}

    def url(self, name: str) -> str:
        """The HTTP address of a process of ours."""
        return self.world.url(name)

    async def up(self, *, fresh: bool = False, legal_start: datetime | None = None) -> None:
        """Start everything and return when all of it is ready.

        `fresh` wipes the world first; `legal_start` is legal time at the start of a world that never ran.
        Raises StackProblem, and leaves nothing behind, when a part does not come up.
        """
        for name in infrastructure.COMPONENTS:
            self._progress(name, "starting")
        self.infrastructure = await infrastructure.start(
            self.home, fresh=fresh, on_ready=lambda name: self._progress(name, "ready")
        )
        try:
            self.world.status["started_at"] = datetime.now(UTC).isoformat()
            for name in infrastructure.COMPONENTS:
                self._wanted.add(name)
                self._note(name, "ready")
            await legal_clock.begin(self.infrastructure.database_dsn("keeper"), legal_start)
            if self._entries:
                self._note("migrations", "starting")
                await database_setup.migrate(self.infrastructure.postgres)
                self._note("migrations", "ready")
            await self._start_processes()
        except BaseException:
            await self.down()
            raise
        self.world.status["up"] = True
        self.world.save()
        self._watcher = asyncio.create_task(self._watch())

    async def down(self) -> None:
        """Stop everything in reverse order, freeze legal time, and free the world."""
        background = [task for task in (self._watcher, *self._restarts) if task]
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        for kinds in STOP_GROUPS:
            await asyncio.gather(*(self.stop(name) for name in self._of_kinds(kinds)))
        await self._save_clock()
        for name in infrastructure.COMPONENTS:
            self._note(name, "stopping")
        self.world.status["up"] = False
        self.world.save()
        await self.infrastructure.stop()
        for name in infrastructure.COMPONENTS:
            self._progress(name, "stopped")
        await self._http.aclose()

    async def kill(self, name: str) -> None:
        """End a part at once (SIGKILL); it stays down until `start(name)`."""
        self._wanted.discard(name)
        await self.parts[name].kill()
        self._note(name, "killed")

    async def stop(self, name: str) -> None:
        """Stop a part cleanly; it stays down until `start(name)`."""
        self._wanted.discard(name)
        await self.parts[name].stop()
        self._note(name, "stopped")

    async def start(self, name: str) -> None:
        """Start a part that is down, on its port and data, and return when it is ready."""
        self._note(name, "starting")
        await self.parts[name].start()
        self._wanted.add(name)
        self._note(name, "ready")

    async def _start_processes(self) -> None:
        for entry in self._entries:
            self.world.port(entry.name)
            self._processes[entry.name] = self._process(entry, self.infrastructure, self._http)
        for kinds in START_GROUPS:
            starts = [asyncio.create_task(self.start(name)) for name in self._of_kinds(kinds)]
            try:
                await asyncio.gather(*starts)
            finally:
                for task in starts:
                    task.cancel()
                await asyncio.gather(*starts, return_exceptions=True)

    def _of_kinds(self, kinds: tuple[str, ...]) -> list[str]:
        return [name for name, process in self._processes.items() if process.entry.kind in kinds]

    async def _watch(self) -> None:
        """Start again what crashed, a second later and not for ever."""
        while True:
            for name, part in self.parts.items():
                if name in self._wanted and not part.child.alive:
                    self._wanted.discard(name)
                    self._note(name, f"crashed ({part.child.exit_code})")
                    if self._restart:
                        task = asyncio.create_task(self._start_again(name))
                        self._restarts.add(task)
                        task.add_done_callback(self._restarts.discard)
            await asyncio.sleep(WATCH_SECONDS)

    async def _start_again(self, name: str) -> None:
        crashes = self._crashes[name]
        while True:
            if len(crashes) == MAX_RESTARTS and time.monotonic() - crashes[0] < RESTARTS_WITHIN_SECONDS:
                self._note(name, f"given up: crashed {MAX_RESTARTS + 1} times within {RESTARTS_WITHIN_SECONDS:.0f} s")
                return
            crashes.append(time.monotonic())
            await asyncio.sleep(RESTART_AFTER_SECONDS)
            try:
                await self.start(name)
                return
            except StackProblem as problem:
                await self.parts[name].kill()
                self._note(name, f"crashed: {problem.sentence}")

    async def _save_clock(self) -> None:
        try:
            connection = await asyncpg.connect(self.infrastructure.database_dsn("keeper"), timeout=5)
        except (OSError, TimeoutError, asyncpg.PostgresError):
            return  # the database is down already: the moment the keeper saved last stands
        try:
            await legal_clock.save(connection)
        finally:
            await connection.close()

    def _note(self, name: str, state: str) -> None:
        self._progress(name, state)
        self.world.status.setdefault("parts", {})[name] = state
        self.world.save()
