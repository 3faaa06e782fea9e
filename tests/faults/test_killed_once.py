"""Every part dies once in the middle (SIGKILL): nothing is lost, nothing is paid twice."""

from __future__ import annotations

import pytest

from tests.faults.conftest import Survived
from tests.faults.kills import ONE_AFTER_THE_OTHER, PARTS, Kill, play_with_kills
from tests.journeys.city import a_city, failed, stories

MOMENTS = (
    ("C4", "item.accepted"),
    ("C4", "visit.ordered"),
    ("C4", "decision.proposed"),
    ("C4", "payment.instructed"),
    ("C3", "applied for"),
    ("C3", "payment.instructed"),
)


def test_every_part_has_its_turn() -> None:
    assert sorted(kill.part for kill in ONE_AFTER_THE_OTHER) == sorted(PARTS)


async def test_the_stories_hold_although_every_part_was_killed_once(survived: Survived) -> None:
    assert failed(survived.reports) == []
    assert [report["passed"] for report in survived.reports] == [True, True]


async def test_what_always_holds_holds_after_the_kills(survived: Survived) -> None:
    assert survived.violations == []


@pytest.mark.faults_long
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(("story_id", "moment"), MOMENTS)
async def test_a_part_may_die_at_any_moment(part: str, story_id: str, moment: str) -> None:
    told = stories(story_id)
    async with a_city(told) as city:
        reports = await play_with_kills(city, told, [Kill(story_id, moment, part)])
        assert failed(reports) == []
        assert await city.violations() == []


@pytest.mark.faults_long
@pytest.mark.parametrize("part", PARTS)
async def test_a_part_may_die_again_and_again(part: str) -> None:
    told = stories("C3", "C4")
    async with a_city(told) as city:
        reports = await play_with_kills(city, told, [Kill(*moment, part) for moment in MOMENTS])
        assert failed(reports) == []
        assert await city.violations() == []
