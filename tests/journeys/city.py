"""A whole city in a folder of its own: the stack under its supervisor, and what tests do with it."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import httpx

from deploy.cli.invariants import check_all
from deploy.cli.running_stack import RunningStack
from deploy.cli.story import earliest_start
from deploy.local.our_process import OurProcess
from deploy.local.supervisor import Supervisor
from deploy.sandbox.officers.app import officer_id
from deploy.sandbox.player.story import Story
from deploy.sandbox.player.story_file import read_story
from deploy.sandbox.tokens import IdentityProvider

STORIES_FOLDER = Path(__file__).parent / "stories"
BOUND_SECONDS = 120.0
STORY_BOUND_SECONDS = 600.0
POLL_SECONDS = 0.05
SETTLING_SECONDS = 30.0

ResultT = TypeVar("ResultT")


def stories(*names: str) -> list[Story]:
    """Stories by the names of their files; all of them where none is named."""
    files = [STORIES_FOLDER / f"{name}.yaml" for name in names] or sorted(STORIES_FOLDER.glob("*.yaml"))
    return [read_story(file) for file in files]


async def until(condition: Callable[[], Awaitable[ResultT]], *, bound_seconds: float = BOUND_SECONDS) -> ResultT:
    """Wait for a condition to hold and return its value; fail after a bound."""
    async with asyncio.timeout(bound_seconds):
        while not (value := await condition()):  # noqa: ASYNC110 - the other side is another process
            await asyncio.sleep(POLL_SECONDS)
    return value


@dataclass
class City:
    """Everything that runs, to be played on, looked at, killed and started."""

    supervisor: Supervisor
    http: httpx.AsyncClient

    @property
    def stack(self) -> RunningStack:
        return RunningStack(self.supervisor.world)

    def url(self, process: str, path: str) -> str:
        return f"{self.supervisor.url(process)}{path}"

    async def begin(self, told: Sequence[Story], *, copies: int = 1, seed: str = "1") -> str:
        """Have stories played; returns the run."""
        bodies = [story.model_dump(mode="json", by_alias=True, exclude_unset=True) for story in told]
        run = {"stories": bodies, "copies": copies, "seed": seed}
        return (await self.stack.ask("player", "POST", "/runs", json=run))["run_id"]

    async def reports(self, run_id: str) -> list[dict[str, Any]]:
        return (await self.stack.ask("player", "GET", f"/runs/{run_id}"))["stories"]

    async def finished(self, run_id: str) -> list[dict[str, Any]]:
        """The reports of a run, once everything was judged."""

        async def reports() -> list[dict[str, Any]]:
            found = await self.reports(run_id)
            return found if all(report["state"] == "finished" for report in found) else []

        return await until(reports, bound_seconds=STORY_BOUND_SECONDS)

    async def told(self, run_id: str, story_id: str, words: str) -> None:
        """Return when a line of a story's progress holds these words."""

        async def seen() -> bool:
            [report] = [each for each in await self.reports(run_id) if each["id"] == story_id]
            return any(words in line for line in report["progress"])

        await until(seen, bound_seconds=STORY_BOUND_SECONDS)

    async def hold_clock(self) -> None:
        await self.stack.ask("keeper", "POST", "/hold", role="keeper")

    async def release_clock(self) -> None:
        await self.stack.ask("keeper", "POST", "/release", role="keeper")

    async def legal_now(self) -> datetime:
        return datetime.fromisoformat((await self.stack.ask("keeper", "GET", "/clock"))["legal_now"])

    async def leap(self, by: timedelta) -> None:
        """Leap by force, whoever is busy or away."""
        body = {"to": (await self.legal_now() + by).isoformat(), "force": True}
        await self.stack.ask("keeper", "POST", "/leap", role="keeper", json=body)

    async def quiet(self) -> None:
        """Return when nobody has anything under way."""

        async def all_quiet() -> bool:
            clock = await self.stack.ask("keeper", "GET", "/clock")
            return clock["quiet"] and not clock["hindered_by"]

        await until(all_quiet)

    async def rows(self, statement: str, *values: object) -> list[asyncpg.Record]:
        """Rows as the database's admin sees them."""
        connection = await asyncpg.connect(self.supervisor.infrastructure.database_dsn("admin"))
        try:
            return await connection.fetch(statement, *values)
        finally:
            await connection.close()

    async def promises(self) -> list[dict[str, Any]]:
        """Every promise of the house with what breaks it, and goes on breaking it when all has settled.

        Work under way breaks some for a moment (an event that waits to be sent), and an actor may act as soon
        as all is quiet: so a look that finds something is repeated within a bound, and the last one counts.
        """
        deadline = asyncio.get_running_loop().time() + SETTLING_SECONDS
        while True:
            await self.quiet()
            results = await check_all(self.stack)
            broken = any(result["violations"] for result in results)
            if not broken or asyncio.get_running_loop().time() > deadline:
                return results

    async def violations(self) -> list[str]:
        """What breaks a promise for good."""
        return [violation for result in await self.promises() for violation in result["violations"]]

    def headers(self, role: str, subject: str, *, jurisdiction: str | None = None) -> dict[str, str]:
        """A signed token as its header."""
        key_file = self.supervisor.infrastructure.secrets.signing_key_file("idp")
        return IdentityProvider(key_file).headers(role, subject, jurisdiction=jurisdiction)

    def officer(self, place: str) -> dict[str, str]:
        """An officer of a place."""
        return self.headers("officer", officer_id(place, 1), jurisdiction=place)

    async def apply(
        self, form: dict[str, Any], key: str, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """Hand in the one form, as a citizen unless other headers say who it is."""
        sent = {**(headers or self.headers("citizen", f"citizen:{key}")), "Idempotency-Key": key}
        return await self.http.post(self.url("intake", "/applications"), json=form, headers=sent)


def failed(reports: Sequence[dict[str, Any]]) -> list[str]:
    """The expectations that did not hold, with what was seen."""
    return [
        f"{report['id']}: {each['text']}: {each['saw']}"
        for report in reports
        for each in report["expectations"]
        if not each["held"]
    ] + [f"{report['id']} was not judged" for report in reports if not report["expectations"]]


@asynccontextmanager
async def a_city(
    told: Sequence[Story], *, process: type[OurProcess] = OurProcess, restart: bool = True
) -> AsyncIterator[City]:
    """A fresh city whose legal time begins before the earliest of these stories; gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="onething-city-"))
    supervisor = Supervisor(home, process=process, restart=restart)
    try:
        await supervisor.up(fresh=True, legal_start=earliest_start(list(told)))
        try:
            async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
                yield City(supervisor, http)
        finally:
            await supervisor.down()
    finally:
        shutil.rmtree(home, ignore_errors=True)
