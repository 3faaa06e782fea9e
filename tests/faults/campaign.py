"""A city whose processes are armed: stories are played in it while what the arms name dies and is started again."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.local.topic_reader import TopicRecord, read_topics
from deploy.local.world import WORLDS_FOLDER
from deploy.sandbox.player.story import Story
from tests.faults.arms import KEEPER, Arm, Armoury
from tests.faults.forked_process import ArmedProcess, folder_of
from tests.journeys.city import City, a_city, failed, until

POLL_SECONDS = 0.02
LOGS_FOLDER = WORLDS_FOLDER / "faults"
"""What a city in which a promise broke wrote, kept for whoever looks why."""


@dataclass
class Outcome:
    """What came of the stories of one city, and which arms were sprung."""

    sprung: set[str] = field(default_factory=set[str])
    reports: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    violations: list[str] = field(default_factory=list[str])
    records: list[TopicRecord] = field(default_factory=list[TopicRecord])
    broke_off: str = ""

    def failed(self, story_id: str) -> list[str]:
        """What did not hold in the copies of one story."""
        return failed(self._copies(story_id))

    def events(self, story_id: str) -> set[str]:
        """The event types that the copies of one story brought about."""
        cases = {case_id for report in self._copies(story_id) for case_id in report["case_ids"]}
        return {record.type for record in self.records if record.key in cases}

    def _copies(self, story_id: str) -> list[dict[str, Any]]:
        return [report for report in self.reports if report["id"].split("#")[0] == story_id]


@asynccontextmanager
async def an_armed_city(told: Sequence[Story]) -> AsyncIterator[City]:
    """A fresh city, armed, in which nothing restarts by itself."""
    async with a_city(told, process=ArmedProcess, restart=False) as city:
        yield city


@asynccontextmanager
async def an_unattended_city(told: Sequence[Story]) -> AsyncIterator[City]:
    """A fresh city as it is, except that nothing restarts by itself."""
    async with a_city(told, restart=False) as city:
        yield city


async def play_armed(city: City, told: Sequence[Story], arms: Sequence[Arm], *, copies: int = 1) -> Outcome:
    """Play stories while the arms are sprung; what came of it when all is judged."""
    armoury = Armoury(folder_of(city.supervisor.home))
    armoury.arm(arms)
    async with asyncio.TaskGroup() as group:
        restarting = group.create_task(_restart(city, armoury))
        reports = await city.finished(await city.begin(told, copies=copies))
        armoury.disarm()
        violations = await city.violations()
        records = await read_topics(city.supervisor.infrastructure.kafka_bootstrap)
        restarting.cancel()
    return Outcome(armoury.sprung_all(), reports, violations, records)


async def play_column(name: str, told: Sequence[Story], arms: Sequence[Arm], *, copies: int) -> Outcome:
    """A city of its own for these arms; its logs are kept where anything broke."""
    home: Path | None = None
    outcome = Outcome()
    async with an_armed_city(told) as city:
        home = city.supervisor.home
        try:
            outcome = await play_armed(city, told, arms, copies=copies)
        except* Exception as errors:
            outcome.broke_off = "; ".join(f"{type(error).__name__}: {error}" for error in errors.exceptions)
            outcome.sprung = Armoury(folder_of(home)).sprung_all()
        if outcome.broke_off or outcome.violations or failed(outcome.reports) or len(outcome.sprung) < len(arms):
            kept = LOGS_FOLDER / name.replace(" ", "-")
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(home / "logs", kept)
    return outcome


async def _restart(city: City, armoury: Armoury) -> None:
    """Start again whatever dies, and let legal time go on when it is ready."""
    try:
        while True:
            sprung = armoury.sprung()
            if sprung is not None:
                name, victim = sprung
                await until(lambda victim=victim: _is_dead(city, victim))
                await city.supervisor.start(victim)
                _let_time_go_on(city)
                armoury.finish(name)
            await asyncio.sleep(POLL_SECONDS)
    finally:
        _let_time_go_on(city)


async def _is_dead(city: City, part: str) -> bool:
    return not city.supervisor.parts[part].child.alive


def _let_time_go_on(city: City) -> None:
    with suppress(ProcessLookupError):
        os.kill(city.supervisor.parts[KEEPER].child.pid or 0, signal.SIGCONT)
