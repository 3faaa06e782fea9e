"""The stories, from outside: each in two copies with other people at the same time, on real servers."""

from __future__ import annotations

import pytest

from tests.faults.kills import STEPS
from tests.journeys.city import failed, stories
from tests.journeys.conftest import COPIES, Played

pytestmark = pytest.mark.asyncio(loop_scope="session")

IDS = [story.id for story in stories()]


@pytest.mark.parametrize("copy", range(1, COPIES + 1))
@pytest.mark.parametrize("story_id", IDS)
async def test_every_expectation_of_a_story_holds(played: Played, story_id: str, copy: int) -> None:
    name = story_id if copy == 1 else f"{story_id}#{copy}"
    reports = [report for report in played.reports if report["id"] == name]
    assert len(reports) == 1
    assert failed(reports) == []
    assert reports[0]["passed"]


async def test_every_copy_is_a_case_of_its_own(played: Played) -> None:
    case_ids = [case_id for report in played.reports for case_id in report["case_ids"]]
    assert len(set(case_ids)) == len(case_ids) == len(IDS) * COPIES


async def test_no_story_takes_a_step_at_which_no_table_of_faults_kills(played: Played) -> None:
    case_ids = {case_id for report in played.reports for case_id in report["case_ids"]}
    taken = {record.type for record in played.records if record.key in case_ids}
    assert taken <= {step for steps in STEPS.values() for step in steps}


async def test_what_always_holds_holds_afterwards(played: Played) -> None:
    assert [promise["number"] for promise in played.promises] == [1, 2, 3, 4, 5, 6, 7]
    assert [violation for promise in played.promises for violation in promise["violations"]] == []
