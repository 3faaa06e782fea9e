"""The moments a workflow waits for, and how it asks services to act: shared by every workflow."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, TypeVar
from uuid import UUID

from temporalio import workflow
from temporalio.common import RetryPolicy, SearchAttributeKey
from temporalio.exceptions import ActivityError, ApplicationError

from contracts.catalogue import COORDINATION
from contracts.processes import Activity, Message, SearchAttribute, Signal, Waits, Wake, WakeDue, Woken
from workflows.legal_wait import LegalWait, OnLegalTime

ANSWER_WITHIN: Final = timedelta(minutes=30)
"""For the longest: a place's whole month of payments."""
LIFE_WITHIN: Final = timedelta(seconds=6)
"""A service that was killed shows no life; what it was asked is then asked again."""
RETRIES: Final = RetryPolicy(
    initial_interval=timedelta(milliseconds=200), backoff_coefficient=2, maximum_interval=timedelta(seconds=5)
)
"""For ever: what fails inside must be mended, and holds the clock meanwhile. A refusal waits on an operator."""
EVENTS_REMEMBERED: Final = 200

STAGE: Final = SearchAttributeKey.for_keyword(SearchAttribute.STAGE)
JURISDICTION: Final = SearchAttributeKey.for_keyword(SearchAttribute.JURISDICTION)
OWNER: Final = SearchAttributeKey.for_keyword(SearchAttribute.OWNER)
DUE_AT: Final = SearchAttributeKey.for_datetime(SearchAttribute.DUE_AT)
OVERDUE: Final = SearchAttributeKey.for_bool(SearchAttribute.OVERDUE)

ResultT = TypeVar("ResultT")


class RefusedByService(Exception):
    """A service says no, for good; asking again helps only after somebody mended why."""


class AsksServices(OnLegalTime):
    """Base of every workflow: it has services act, and a refusal waits on an operator instead of ending it."""

    _mended = 0
    """How often an operator said that the cause of a refusal was mended."""

    @workflow.signal(name=Signal.ASK_AGAIN)
    def ask_again(self) -> None:
        """An operator mended why a service refused."""
        self._mended += 1

    async def ask(self, service: str, activity: Activity, message: Message, result_type: type[ResultT]) -> ResultT:
        """Have a service do one thing, however long it takes: also until an operator has mended a refusal."""
        while True:
            mended = self._mended
            try:
                return await ask_once(service, activity, message, result_type)
            except RefusedByService as refused:
                workflow.set_current_details(f"{refused} Mend the cause, then send the signal `{Signal.ASK_AGAIN}`.")
            await workflow.wait_condition(lambda mended=mended: self._mended != mended)
            workflow.set_current_details("")

    async def wake(self, due: WakeDue) -> None:
        """Tell coordination that a wake's moment has come, and show it if that finds the deadline passed."""
        woken = await self.ask(COORDINATION, Activity.WAKE, due, Woken)
        if woken.overdue:
            workflow.upsert_search_attributes([OVERDUE.value_set(True)])


async def ask_once(service: str, activity: Activity, message: Message, result_type: type[ResultT]) -> ResultT:
    """Have a service do one thing, however long it takes. Raises RefusedByService where it says no."""
    try:
        return await workflow.execute_activity(
            activity, message, task_queue=service, result_type=result_type, start_to_close_timeout=ANSWER_WITHIN,
            heartbeat_timeout=LIFE_WITHIN, retry_policy=RETRIES,
        )
    except ActivityError as error:
        if not isinstance(error.cause, ApplicationError):
            raise  # cancelled or terminated: not the service's word
        workflow.logger.error("activity.refused", extra={"activity": activity, "code": error.cause.type})
        raise RefusedByService(f"{service} refused {activity}: {error.cause.type}.") from None


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
