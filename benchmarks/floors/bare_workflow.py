"""The floor of an item's workflow: as many activities, timers, signals and local activities, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from temporalio import activity, workflow

QUEUE: Final = "bare-workflows"
COORDINATION: Final = "bare-coordination"
APPROVAL: Final = "bare-approval"
ANSWER: Final = "answer"
WITHIN: Final = timedelta(seconds=30)
FAR: Final = timedelta(days=3)
NOTICE: Final = timedelta(seconds=1)


@activity.defn
async def read_nothing() -> str:
    """Stands for reading the clock."""
    return ""


@workflow.defn
class BareWorkflow:
    """Waits for a word, asks, waits for a second, asks twice, waits for a word, asks, ends."""

    def __init__(self) -> None:
        self._words = 0

    @workflow.signal
    def word(self) -> None:
        """One of the three words an item is told: proposed, posted, confirmed."""
        self._words += 1

    @workflow.run
    async def run(self, start: str) -> str:
        """The steps of an item that is granted."""
        await self._ask(COORDINATION, start)
        await self._wait(1, FAR)
        await self._wait(2, FAR)
        await self._ask(COORDINATION, start)
        await self._wait(3, NOTICE)
        await workflow.execute_local_activity(read_nothing, start_to_close_timeout=WITHIN)
        await self._ask(APPROVAL, start)
        await self._ask(COORDINATION, start)
        await self._wait(3, FAR)
        return await self._ask(COORDINATION, start)

    @staticmethod
    async def _ask(queue: str, start: str) -> str:
        return await workflow.execute_activity(
            ANSWER, start, task_queue=queue, result_type=str, start_to_close_timeout=WITHIN)

    async def _wait(self, words: int, at_most: timedelta) -> None:
        try:
            await workflow.wait_condition(lambda: self._words >= words, timeout=at_most)
        except TimeoutError:
            return
