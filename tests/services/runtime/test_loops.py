"""Background loops of a process: errors show, backoff is bounded, a stop lets the work finish."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from services.runtime.loops import LONGEST_BACKOFF_SECONDS, Loop, LoopRunner, backoff_seconds
from tests.services.runtime.test_process import until

if TYPE_CHECKING:
    from services.runtime.context import Runtime


class Counting:
    """The part of a runtime that a loop touches."""

    handled = 0

    def count_handled(self, count: int) -> None:
        self.handled += count


async def nothing_pending(_runtime: Any) -> int:
    return 0


async def test_a_loop_retries_what_fails_and_shows_it_until_it_works_again():
    outcomes: list[Exception | int] = [ValueError(), ValueError(), 3, 0]
    counting = Counting()

    async def work(_runtime: Any) -> int:
        outcome = outcomes.pop(0) if outcomes else 0
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    runner = LoopRunner(Loop("sample", work, nothing_pending), cast("Runtime", counting))
    runner.start()

    async def failed_once() -> bool:
        return runner.failures_in_a_row == 1

    async def worked() -> bool:
        return counting.handled == 3

    await until(failed_once)
    assert await runner.pending() == 1, "a retry being waited for is work under way"
    await until(worked)
    await runner.stop()
    assert (runner.errors_count, runner.failures_in_a_row, await runner.pending()) == (2, 0, 0)


async def test_a_stop_lets_the_unit_of_work_finish_and_a_nudge_while_working_is_not_lost():
    entered, release, units = asyncio.Event(), asyncio.Event(), list[int]()

    async def work(_runtime: Any) -> int:
        entered.set()
        await release.wait()
        units.append(1)
        return 0

    runner = LoopRunner(
        Loop("sample", work, nothing_pending, poll_seconds=60), cast("Runtime", SimpleNamespace())
    )
    runner.start()
    await entered.wait()
    assert await runner.pending() == 1
    runner.nudge()
    release.set()

    async def worked_twice() -> bool:
        return len(units) == 2

    await until(worked_twice)
    entered.clear()
    release.clear()
    runner.nudge()
    await entered.wait()
    stopping = asyncio.create_task(runner.stop())
    await asyncio.sleep(0)
    assert not stopping.done()
    release.set()
    await stopping
    assert len(units) == 3
    assert runner.alive is False


@pytest.mark.parametrize("failures", [1, 5, 50, 5000])
def test_backoff_grows_and_is_bounded(failures: int):
    assert 0 < backoff_seconds(failures) <= LONGEST_BACKOFF_SECONDS
