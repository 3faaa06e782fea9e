"""The moments a workflow waits for, and how it asks services to act: shared by every workflow."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, TypeVar
from uuid import UUID

from temporalio import workflow
from temporalio.common import RetryPolicy, SearchAttributeKey

from contracts.catalogue import COORDINATION
from contracts.processes import Activity, Message, SearchAttribute, Waits, Wake, WakeDue, Woken
from workflows.legal_wait import LegalWait

ANSWER_WITHIN: Final = timedelta(seconds=30)
RETRIES: Final = RetryPolicy(
    initial_interval=timedelta(milliseconds=200), backoff_coefficient=2, maximum_interval=timedelta(seconds=5)
)
"""For ever: what fails inside must be mended, and holds the clock meanwhile. A refusal is not retried."""
EVENTS_REMEMBERED: Final = 200

STAGE: Final = SearchAttributeKey.for_keyword(SearchAttribute.STAGE)
JURISDICTION: Final = SearchAttributeKey.for_keyword(SearchAttribute.JURISDICTION)
OWNER: Final = SearchAttributeKey.for_keyword(SearchAttribute.OWNER)
DUE_AT: Final = SearchAttributeKey.for_datetime(SearchAttribute.DUE_AT)
OVERDUE: Final = SearchAttributeKey.for_bool(SearchAttribute.OVERDUE)

ResultT = TypeVar("ResultT")


async def ask(service: str, activity: Activity, message: Message, result_type: type[ResultT]) -> ResultT:
    """Have a service do one thing, however long it takes. Raises ActivityError where it refuses."""
    return await workflow.execute_activity(
        activity, message, task_queue=service, result_type=result_type, start_to_close_timeout=ANSWER_WITHIN,
        retry_policy=RETRIES,
    )


async def wake(due: WakeDue) -> None:
    """Tell coordination that a wake's moment has come, and show it if that finds the deadline passed."""
    woken = await ask(COORDINATION, Activity.WAKE, due, Woken)
    if woken.overdue:
        workflow.upsert_search_attributes([OVERDUE.value_set(True)])


class Agenda:
    """Recorded wakes in their order. They are acted on while the workflow waits for something else."""

    def __init__(self, clock: LegalWait) -> None:
        self._clock = clock
        self._wakes: list[Wake] = []

    def add(self, waits: Waits) -> None:
        """Take over waits that coordination recorded, and the clock by which it did."""
        self._clock.learn(waits.leap)
        self._wakes = sorted([*self._wakes, *waits.wakes], key=lambda wake: wake.order)

    async def until(self, condition: Callable[[], bool], act: Callable[[Wake], Awaitable[None]]) -> None:
        """Wait for `condition` as long as it takes; act on each wake whose moment comes meanwhile."""
        while not condition():
            upcoming = self._wakes[0] if self._wakes else None
            came = await self._clock.until(condition, upcoming.wake_at if upcoming else None)
            if upcoming is not None and not came:
                self._wakes.remove(upcoming)
                await act(upcoming)


class SeenEvents:
    """Which events this workflow was told of: a signal may come twice. Bounded, the oldest are forgotten."""

    def __init__(self) -> None:
        self._ids: dict[UUID, None] = {}

    def is_new(self, event_id: UUID) -> bool:
        """True the first time."""
        if event_id in self._ids:
            return False
        self._ids[event_id] = None
        if len(self._ids) > EVENTS_REMEMBERED:
            del self._ids[next(iter(self._ids))]
        return True
