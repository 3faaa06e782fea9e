"""SIGKILL at every step of every story, and at named points inside: nothing lost, nothing twice, order per case.

A city of its own for every column; in it each story is played by several households at once, and each row is one
kill: when the first of them comes to that step.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator

import pytest
import pytest_asyncio

from deploy.sandbox.player.story import Story
from tests.faults.arms import Arm
from tests.faults.campaign import Outcome, play_column
from tests.faults.kills import BY_CHANCE, COLUMNS, FILES, PLACES, STEPS, Place, arm_at, arms_of
from tests.faults.tables import Table
from tests.journeys.city import stories

pytestmark = pytest.mark.faults_long

HOUSEHOLDS = 2
CITIES_AT_ONCE = 2
NAMED_PLACES = "named places"
NOBODY_READS = "–"
STORIES = {story.id: story for story in sorted(stories(*FILES), key=lambda story: story.calendar.start())}

TABLES = {
    story.id: Table(
        f"Killed at every step: {story.id} ({story.title})", rows="step", columns="killed",
        about="At the step's event a part gets SIGKILL and is started again; legal time waits for it. A part dies "
        "in the instant in which Kafka has acknowledged the event; the last four columns kill whoever has it in hand, "
        f"and `{NOBODY_READS}` is an event that no service of ours reads. ✓: every expectation of the story holds for "
        "every household, every promise of `onething invariants` holds, and no dead letter is left. Not killed: the "
        "clock's keeper and the story's player, which production has not, and the sandbox's officers, who are people."
        + "".join(f" Not a step: `{event}`, which comes or does not by chance." for event in BY_CHANCE[story.id]),
    )
    for story in STORIES.values()
}
PLACES_TABLE = Table(
    "Killed at a named place", rows="process, place, what passes there",
    about="The process kills itself exactly there, once; what it was asked is asked again and takes effect once.",
)


def arms_in(column: str) -> list[Arm]:
    """Everything that is killed in one city."""
    if column == NAMED_PLACES:
        return list(map(arm_at, PLACES))
    return [arm for story in STORIES.values() for step in STEPS[story.id] for arm in arms_of(column, story, step)]


class Campaign:
    """The cities, two at a time, in the order in which their outcomes are asked for."""

    def __init__(self, columns: Iterable[str]) -> None:
        self._free = asyncio.Semaphore(CITIES_AT_ONCE)
        self._cities = {column: asyncio.create_task(self._play(column)) for column in columns}

    async def outcome(self, column: str) -> Outcome:
        """What came of a column, when its city has ended."""
        return await self._cities[column]

    async def end(self) -> None:
        """Give up what is not asked for any more."""
        for city in self._cities.values():
            city.cancel()
        await asyncio.gather(*self._cities.values(), return_exceptions=True)

    async def _play(self, column: str) -> Outcome:
        async with self._free:
            return await play_column(column, list(STORIES.values()), arms_in(column), copies=HOUSEHOLDS)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def campaign(request: pytest.FixtureRequest) -> AsyncIterator[Campaign]:
    """The cities of the tests that were chosen."""
    ours = (item for item in request.session.items if item.path == request.path)
    parameters = (item.callspec.params if hasattr(item, "callspec") else {} for item in ours)
    chosen = [each.get("column", NAMED_PLACES) for each in parameters]
    running = Campaign(dict.fromkeys(chosen))
    yield running
    await running.end()


def cells() -> Iterator[object]:
    """Every cell of the tables, column by column."""
    for column in COLUMNS:
        for story in STORIES.values():
            for step in STEPS[story.id]:
                says = "✓" if arms_of(column, story, step) else NOBODY_READS
                mark = pytest.mark.cell(TABLES[story.id], row=step, column=column, says=says)
                yield pytest.param(column, story, step, marks=mark, id=f"{column}-{story.id}-{step}")


@pytest.mark.parametrize(("column", "story", "step"), list(cells()))
async def test_whoever_dies_at_whatever_step_nothing_is_lost_or_done_twice(
    campaign: Campaign, column: str, story: Story, step: str
) -> None:
    holds(await campaign.outcome(column), arms_of(column, story, step), story.id)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place.process}-{place.what}")
@pytest.mark.cell(PLACES_TABLE, row="{place.process}: {place.point}: {place.what}")
async def test_whoever_dies_at_a_named_place_nothing_is_lost_or_done_twice(campaign: Campaign, place: Place) -> None:
    holds(await campaign.outcome(NAMED_PLACES), [arm_at(place)], *STORIES)


def test_every_story_has_its_table() -> None:
    assert STORIES.keys() == STEPS.keys()


@pytest.mark.parametrize("story_id", STEPS)
async def test_no_event_of_a_story_is_left_out_of_its_table(campaign: Campaign, story_id: str) -> None:
    outcome = await campaign.outcome(NAMED_PLACES)
    assert outcome.events(story_id) - set(BY_CHANCE[story_id]) == set(STEPS[story_id])


def holds(outcome: Outcome, arms: list[Arm], *story_ids: str) -> None:
    """The kills took place, and nobody is the worse for it."""
    assert outcome.broke_off == ""
    assert {arm.name for arm in arms} <= outcome.sprung, "was not killed: the step never came"
    assert [fault for story_id in story_ids for fault in outcome.failed(story_id)] == []
    assert outcome.violations == []
