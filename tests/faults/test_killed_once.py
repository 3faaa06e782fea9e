"""Every part dies once in the middle (SIGKILL): nothing is lost, nothing is paid twice."""

from __future__ import annotations

from tests.faults.campaign import Outcome
from tests.faults.kills import ONE_AFTER_THE_OTHER, PARTS


def test_every_part_has_its_turn() -> None:
    assert sorted(part for _, _, part in ONE_AFTER_THE_OTHER) == sorted(PARTS)


async def test_every_part_was_killed(survived: Outcome) -> None:
    assert len(survived.sprung) == len(ONE_AFTER_THE_OTHER)


async def test_the_stories_hold_although_every_part_was_killed_once(survived: Outcome) -> None:
    assert survived.failed("C3") + survived.failed("C4") == []


async def test_what_always_holds_holds_after_the_kills(survived: Outcome) -> None:
    assert survived.violations == []
