"""2,000 cases in a week of legal time with a random fault each legal hour: every promise holds, and nothing grows."""

from __future__ import annotations

import pytest
import pytest_asyncio

from deploy.sandbox.identities import identity_number
from tests.faults.a_week import COPIES, HOURS, PEOPLE, SMALL_SUMS, Week, WeekOfFaults, the_stories
from tests.faults.campaign import an_unattended_city
from tests.faults.tables import Table
from tests.journeys.city import failed
from tests.services.intake.forms import BAISHA

pytestmark = pytest.mark.faults_long

TABLE = Table(
    "A week of legal life", rows="afterwards",
    about=f"{SMALL_SUMS} small emergencies and {len(the_stories()) * COPIES} households of stories come within "
    f"{HOURS} legal hours. In each hour one part at random dies (SIGKILL), stands still (SIGSTOP) or loses its "
    "database connections, the same in every run. Memory and descriptors of the last two days are compared with those "
    "of the first two: the largest of every part, whichever of its lives that was.",
)
GROWS_BY = 1.1
GROWS_MIB = 8
"""What a part may hold more in the last two days than in the first two, in which 550 cases have warmed it."""
JVM_MIB = 512 + 384
"""The broker's heap grows to its bound before it is collected: bound, not growth, is what is asked of it."""
POOL = 11
"""Connections of a service to the database at most: its pool, and its relay's."""
KEPT_ALIVE = 20
"""Connections to others that a client keeps for the next request."""
REMEMBERS = ("player", "bank", "sources", "electricity", "officers")
"""The outside world of the sandbox keeps everything in memory, to be asked about it by tests."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def week() -> Week:
    """The week, played once."""
    async with an_unattended_city(the_stories()) as city:
        return await WeekOfFaults(city).play()


def test_no_two_households_of_the_stories_are_the_same_person() -> None:
    numbers = [
        identity_number(f"{story.id}-{PEOPLE}-{copy}", name, character.born, BAISHA)
        for story in the_stories() for copy in range(1, COPIES + 1) for name, character in story.people.items()
    ]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.cell(TABLE, row="a fault befell every legal hour")
async def test_a_fault_befell_every_hour(week: Week) -> None:
    assert len(week.faults) == HOURS


@pytest.mark.cell(TABLE, row="every small sum is paid once and settled")
async def test_every_small_sum_is_paid_once(week: Week) -> None:
    assert week.handed_in == SMALL_SUMS
    assert week.small_sums == {"settled": SMALL_SUMS}


@pytest.mark.cell(TABLE, row="every expectation of every household of a story holds")
async def test_every_household_of_a_story_has_what_it_is_owed(week: Week) -> None:
    assert failed(week.reports) == []


@pytest.mark.cell(TABLE, row="every promise of `onething invariants` holds")
async def test_every_promise_holds(week: Week) -> None:
    assert week.violations == []


@pytest.mark.cell(TABLE, row="memory is flat")
async def test_memory_is_flat(week: Week) -> None:
    grown = {
        name: (before.own_mib, week.late[name].own_mib) for name, before in week.warm.items()
        if name not in (*REMEMBERS, "kafka") and week.late[name].own_mib > before.own_mib * GROWS_BY + GROWS_MIB
    }
    assert grown == {}
    assert week.late["kafka"].own_mib <= JVM_MIB


@pytest.mark.cell(TABLE, row="no file or connection is left open")
async def test_no_file_or_connection_is_left_open(week: Week) -> None:
    more = {
        name: (before.descriptors, week.ended[name].descriptors) for name, before in week.warm.items()
        if name != "postgres" and week.ended[name].descriptors > before.descriptors + POOL + KEPT_ALIVE
    }
    assert more == {}
    assert {role: count for role, count in week.connections.items() if count > POOL} == {}
