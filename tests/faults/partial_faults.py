"""Faults of the servers under a city that leave it half alive: how each is made, and how it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from contracts.catalogue import SERVICES
from deploy.cli.story import earliest_start
from deploy.local.our_process import OurProcess
from deploy.local.problem import StackProblem
from deploy.local.supervisor import Supervisor
from deploy.sandbox.player.story import Story
from tests.journeys.city import City, until
from tests.services.intake.forms import BAISHA

SMALL_DISK_MB = 1024
BALLAST_STEP_BYTES = 1024 * 1024
WATCH_SECONDS = 0.5


@contextmanager
def a_small_disk() -> Iterator[Path]:
    """A file system of its own, so that it can be filled to the last byte. Raises PermissionError if not allowed."""
    mounted = Path(tempfile.mkdtemp(prefix="onething-disk-"))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK_MB}m,mode=0711", "tmpfs", str(mounted)]
    done = subprocess.run(mount, check=False, capture_output=True)
    if done.returncode:
        mounted.rmdir()
        raise PermissionError("a tmpfs cannot be mounted here: run as root, or in `unshare -rm`")
    try:
        yield mounted
    finally:
        subprocess.run(["umount", "--lazy", str(mounted)], check=True)
        mounted.rmdir()


@asynccontextmanager
async def a_city_in(folder: Path, told: Sequence[Story]) -> AsyncIterator[City]:
    """A fresh city with all its data in a folder; what dies stays dead until a test starts it."""
    home = folder / "world"
    home.mkdir(mode=0o711)
    supervisor = Supervisor(home, restart=False)
    await supervisor.up(fresh=True, legal_start=earliest_start(list(told)))
    try:
        async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
            yield City(supervisor, http)
    finally:
        await supervisor.down()


@asynccontextmanager
async def a_full_disk(folder: Path) -> AsyncIterator[None]:
    """Not one byte is left."""
    ballast = folder / "ballast"
    await asyncio.to_thread(_fill, ballast)
    try:
        yield
    finally:
        ballast.unlink()


def _fill(ballast: Path) -> None:
    step = BALLAST_STEP_BYTES
    with ballast.open("ab", buffering=0) as file:
        while step:
            try:
                file.write(b"\x00" * step)
            except OSError:
                step //= 2


async def start_the_dead(city: City) -> set[str]:
    """Start again what has died, as whoever supervises it would, until every service is ready; their names."""
    dead: set[str] = set()

    async def all_ready() -> bool:
        if not await _started(city, dead):
            return False
        answers = await asyncio.gather(*(city.http.get(city.url(name, "/ready")) for name in SERVICES),
                                       return_exceptions=True)
        return all(isinstance(answer, httpx.Response) and answer.is_success for answer in answers)

    await until(all_ready)
    return dead


@asynccontextmanager
async def whoever_dies_is_started(city: City) -> AsyncIterator[None]:
    """What is damaged may die of it later."""

    async def watch() -> None:
        while True:
            await _started(city, set())
            await asyncio.sleep(WATCH_SECONDS)

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _started(city: City, dead: set[str]) -> bool:
    """Whether everybody lives, having started once more who does not; their names are added."""
    for name, part in city.supervisor.parts.items():
        if not part.child.alive:
            dead.add(name)
            try:
                await city.supervisor.start(name)
            except StackProblem:
                return False
    return True


@asynccontextmanager
async def no_connection_left(city: City) -> AsyncIterator[None]:
    """The database gives the services no connection, and those they had are ended."""
    admin = await asyncpg.connect(city.supervisor.infrastructure.database_dsn("admin"))

    async def none_left() -> bool:
        return not await admin.fetchval(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = any($1)", list(SERVICES)
        )

    try:
        for service in SERVICES:
            await admin.execute(f"alter role {service} connection limit 0")
        await until(none_left)
        yield
    finally:
        for service in SERVICES:
            await admin.execute(f"alter role {service} connection limit -1")
        await admin.close()


@contextmanager
def unresponsive(city: City, part: str) -> Iterator[None]:
    """The process is there and keeps its connections, and does not answer."""
    pid = city.supervisor.parts[part].child.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


class Second(OurProcess):
    """A second process of a service, or of the workflow worker, beside the first."""

    def __init__(self, first: OurProcess, city: City) -> None:
        super().__init__(replace(first.entry, name=f"{first.name}_second"), city.supervisor.infrastructure, city.http)
        self.entry = first.entry

    async def start(self) -> None:
        self.world.port(self.name)
        await super().start()

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "ONETHING_HTTP_PORT": str(self.world.ports[self.name])}


@asynccontextmanager
async def second_of(city: City, *names: str) -> AsyncIterator[list[Second]]:
    """A second process of each, ready; whatever is left of them is stopped afterwards.

    Nobody asks them whether all is quiet, so the clock is held.
    """
    await city.hold_clock()
    parts = city.supervisor.parts
    seconds = [Second(part, city) for name in names if isinstance(part := parts[name], OurProcess)]
    try:
        await asyncio.gather(*(second.start() for second in seconds))
        yield seconds
    finally:
        await asyncio.gather(*(second.stop() for second in seconds))
        await city.release_clock()


@asynccontextmanager
async def batch_in_hand(city: City, service: str) -> AsyncIterator[None]:
    """Whatever batch the service takes meanwhile stays in the middle of its transaction."""
    connection = await asyncpg.connect(city.supervisor.infrastructure.database_dsn("admin"))
    try:
        async with connection.transaction():
            await connection.execute(f"lock table {service}.inbox in exclusive mode")
            yield
    finally:
        await connection.close()


async def batches_in_hand(city: City, service: str) -> int:
    """How many batches of a service wait in the middle of their transactions."""
    [row] = await city.rows(
        "select count(*) from pg_stat_activity where usename = $1 and wait_event_type = 'Lock' "
        "and query like 'insert into %.inbox %'", service,
    )
    return row["count"]


@dataclass
class Applications:
    """Applications that keep being handed in, whatever happens."""

    city: City
    name: str
    a_form: Callable[[], dict[str, Any]]
    forms: list[dict[str, Any]] = field(default_factory=list)
    answers: list[httpx.Response] = field(default_factory=list)
    case_ids: list[str] = field(default_factory=list)

    async def hand_in(self, count: int = 1) -> None:
        """Some more, one after the other."""
        for _ in range(count):
            self.forms.append(self.a_form())
            self.answers.append(await self._send(len(self.forms) - 1))

    async def go_on(self, seconds: float) -> None:
        """Keep handing in for so long: the time is the fault, not a way of waiting."""
        ends_at = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < ends_at:
            await self.hand_in()
            await asyncio.sleep(0.2)

    def statuses(self) -> set[int]:
        """How all of them were answered, at first."""
        return {answer.status_code for answer in self.answers}

    async def send_again(self) -> None:
        """What was refused for the time being is sent once more under its key, as the answer asked for."""
        for number, answer in enumerate(self.answers):
            if answer.status_code == 503:
                answer = await self._send(number)  # noqa: PLW2901 - the answer that counts
            assert answer.status_code == 201, answer.text
            self.case_ids.append(answer.json()["case_id"])

    async def once_in(self, table: str, *, of: str = "true", state: str = "true") -> None:
        """Return when a table has a row of each case, of that kind and in that state; fails where one has two."""

        async def all_there() -> bool:
            rows = await self.city.rows(f"select from {table} where case_id = any($1) and {of} and {state}",
                                        self.case_ids)
            return len(rows) >= len(self.case_ids)

        await until(all_there)
        rows = await self.city.rows(f"select case_id from {table} where case_id = any($1) and {of}", self.case_ids)
        assert sorted(str(row["case_id"]) for row in rows) == sorted(self.case_ids)

    async def _send(self, number: int) -> httpx.Response:
        form = self.forms[number]
        by_officer = self.city.officer(BAISHA) if form["channel"] == "officer" else None
        return await self.city.apply(form, f"{self.name}-{number}", by_officer)
