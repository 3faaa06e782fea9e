"""A week of legal life compressed: households come, are decided on and paid, and every legal hour something breaks."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx

from deploy.sandbox.actor import CHINA
from deploy.sandbox.player.story import Story
from tests.faults.footprint import Footprint, footprints
from tests.journeys.city import City, stories, until
from tests.services.intake.forms import BAISHA, a_small_emergency, what_happened

SEED = 20260304
HOURS = 7 * 24
WARM = range(3, 48, 4)
LATE = range(HOURS - 45, HOURS, 4)
"""The hours after which everybody is measured: in the first and in the last two days."""
HOUR = timedelta(hours=1)
SMALL_SUMS = 1_940
COPIES = 20
"""Of C3 and of two dibao stories, played by the player meanwhile: with the small sums 2,000 cases."""
PEOPLE = "week-0"
"""Made-up people of one birthday are a thousand at most: with these no two households are the same person."""
AT_ONCE = 6
POLL_SECONDS = 0.02
AWAY_SECONDS = 0.4
"""How long a part stands still (SIGSTOP) in that fault."""
SERVICES = ("intake", "verification", "approval", "disbursement", "coordination")
DIES = (*SERVICES, "workflows", "temporal", "postgres", "kafka", "bank", "sources", "electricity")
STANDS_STILL = (*SERVICES, "workflows", "temporal", "kafka", "bank")
LOSES_ITS_CONNECTIONS = (*SERVICES, "workflows", "keeper")
KINDS = ("dies", "stands still", "loses its database connections")
OFTEN = (1, 2, 2)


@dataclass
class Week:
    """What was seen of it."""

    reports: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    violations: list[str] = field(default_factory=list[str])
    small_sums: dict[str, int] = field(default_factory=dict[str, int])
    """State of payment → cases whose one payment is in it."""
    handed_in: int = 0
    faults: list[str] = field(default_factory=list[str])
    warm: dict[str, Footprint] = field(default_factory=dict[str, Footprint])
    """The largest of each part in the first days."""
    late: dict[str, Footprint] = field(default_factory=dict[str, Footprint])
    """The largest of each part in as many days at the end of the week."""
    ended: dict[str, Footprint] = field(default_factory=dict[str, Footprint])
    """Each part when all was done."""
    connections: dict[str, int] = field(default_factory=dict[str, int])
    """Who holds how many connections to the database when all was done."""


def the_stories() -> list[Story]:
    """C3, and C4 on two days of the week; the last one keeps legal time going until its household was paid."""
    c3, c4 = stories("C3", "C4")
    morning = c3.calendar.starts.replace(hour=9, minute=0)
    told = [c3]
    for number in (1, 2):
        starts, ends = morning + timedelta(days=number), morning.replace(month=4, day=11)
        calendar = c4.calendar.model_copy(update={"starts": starts, "ends": ends})
        # The sums that the newspaper's household was paid in 2025 are not those of 2026; the rulebook's are.
        expect = [line for line in c4.expect if "yuan each month" not in line]
        told.append(c4.model_copy(update={"id": f"C4-{number}", "calendar": calendar, "expect": expect}))
    return told


class WeekOfFaults:
    """Plays the week in a city that restarts nothing by itself."""

    def __init__(self, city: City) -> None:
        self.city = city
        self.week = Week()
        self._random = random.Random(SEED)
        self._case_ids: list[str] = []
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def play(self) -> Week:
        """The week, then what is left until every household has its result and the pay day is over."""
        told = the_stories()
        run_id = await self.city.begin(told, copies=COPIES, seed=PEOPLE)
        begins = told[0].calendar.start()
        for hour in range(HOURS):
            await self._until_legal(begins + HOUR * hour)
            await self.city.hold_clock()
            await self._one_hour(hour)
            if hour == 0:
                # The bank books two hours after an order: from two chains of orders there is a moment each hour.
                await self.city.quiet()
                await self.city.leap(HOUR)
            await self.city.release_clock()
        week = self.week
        week.reports = await self.city.finished(run_id)
        week.violations = await self.city.violations()
        week.small_sums = await self._paid()
        week.ended = footprints(self.city)
        week.connections = await self._connections()
        return week

    async def _until_legal(self, moment: datetime) -> None:
        async def has_come() -> bool:
            return await self.city.legal_now() >= moment

        await until(has_come)

    async def _one_hour(self, hour: int) -> None:
        """The hour's households come while its fault happens; then everybody is measured."""
        numbers = range(SMALL_SUMS * hour // HOURS, SMALL_SUMS * (hour + 1) // HOURS)
        today = (await self.city.legal_now()).astimezone(CHINA).date().isoformat()
        async with asyncio.TaskGroup() as group:
            for number in numbers:
                group.create_task(self._hand_in(number, today))
            group.create_task(self._fault())
        for measured, hours in ((self.week.warm, WARM), (self.week.late, LATE)):
            if hour in hours:
                seen = footprints(self.city)
                measured |= {name: each.largest(measured.get(name)) for name, each in seen.items()}

    async def _hand_in(self, number: int, today: str) -> None:
        """Hand a form in until it is answered; whoever does not hear sends it again under the same key."""
        form = a_small_emergency(what_happened=what_happened(happened_on=today))
        async with self._slots:
            while True:
                with suppress(httpx.TransportError):
                    answer = await self.city.apply(form, f"week-{number:05}", self.city.officer(BAISHA))
                    if answer.status_code < 500:
                        break
                await asyncio.sleep(POLL_SECONDS)
        assert answer.status_code == 201, answer.text
        self.week.handed_in += 1
        self._case_ids.append(answer.json()["case_id"])

    async def _fault(self) -> None:
        [kind] = self._random.choices(KINDS, OFTEN)
        befalls: dict[str, tuple[tuple[str, ...], Callable[[str], Awaitable[None]]]] = {
            "dies": (DIES, self._dies), "stands still": (STANDS_STILL, self._stands_still),
            "loses its database connections": (LOSES_ITS_CONNECTIONS, self._loses_its_connections),
        }
        parts, happens = befalls[kind]
        part = self._random.choice(parts)
        self.week.faults.append(f"{part} {kind}")
        await happens(part)

    async def _dies(self, part: str) -> None:
        await self.city.supervisor.kill(part)
        await self.city.supervisor.start(part)

    async def _stands_still(self, part: str) -> None:
        pid = self.city.supervisor.parts[part].child.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(AWAY_SECONDS)  # the time is the fault
        os.kill(pid, signal.SIGCONT)

    async def _loses_its_connections(self, role: str) -> None:
        await self.city.rows("select pg_terminate_backend(pid) from pg_stat_activity where usename = $1", role)

    async def _paid(self) -> dict[str, int]:
        rows = await self.city.rows(
            "select state, count(*) from disbursement.payments where case_id = any($1) group by state "
            "having count(*) = count(distinct case_id)", self._case_ids)
        return {row["state"]: row["count"] for row in rows}

    async def _connections(self) -> dict[str, int]:
        rows = await self.city.rows("select usename, count(*) from pg_stat_activity where usename is not null "
                                    "and pid <> pg_backend_pid() group by usename")
        return {row["usename"]: row["count"] for row in rows}
