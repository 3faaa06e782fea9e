"""Stands where services and officers stand: answers workflows' activities at once, and tells them what comes next.

Both sides are answered by one process in the same way, so that only workflows, worker and server are compared.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from temporalio import activity
from temporalio.client import Client

from benchmarks.floors import bare_workflow
from benchmarks.harness.forms import TOWN
from contracts.benefits import Benefit
from contracts.catalogue import APPROVAL, COORDINATION
from contracts.envelope import Subject, new_id
from contracts.events.deadline import DeadlineKind
from contracts.events.decision import Outcome
from contracts.processes import (
    DUE_PERCENT,
    WORKFLOW_QUEUE,
    Activity,
    DecisionConfirmedSignal,
    DecisionProposedSignal,
    EndPublicNotice,
    ItemStarted,
    Leap,
    NoticeWait,
    OfferReferrals,
    Signal,
    Waits,
    Wake,
    WakeDue,
    Woken,
    WorkflowName,
    item_workflow_id,
)

DAY: Final = timedelta(days=1)
PERCENTS: Final = (50, 80, DUE_PERCENT)
DEADLINES: Final = {DeadlineKind.INVESTIGATE: 10 * DAY, DeadlineKind.DECIDE_PROMISED: 15 * DAY,
                    DeadlineKind.DECIDE: 20 * DAY}
MESSAGE: Final = "x" * 300
"""About the size of ours."""
Activities = Sequence[Callable[..., Any]]


class OurServices:
    """Coordination and approval as our workflows know them."""

    def __init__(self, client: Client, leap: Leap) -> None:
        self._client = client
        self._leap = leap
        self._telling: set[asyncio.Task[None]] = set()

    @property
    def queues(self) -> dict[str, Activities]:
        """Activities by task queue."""
        return {COORDINATION: [self.record_item_waits, self.record_notice_wait, self.wake, self.offer_referrals],
                APPROVAL: [self.end_public_notice]}

    async def start(self) -> Any:
        """Start one item's workflow; the handle."""
        item_id = new_id()
        subject = Subject(case_id=new_id(), item_id=item_id, jurisdiction=TOWN, owner=TOWN, epoch=1)
        start = ItemStarted(subject=subject, benefit=Benefit.DIBAO, accepted_at=self._legal_now(), leap=self._leap)
        return await self._client.start_workflow(
            WorkflowName.ITEM, start, id=item_workflow_id(item_id), task_queue=WORKFLOW_QUEUE)

    @activity.defn(name=Activity.RECORD_ITEM_WAITS)
    async def record_item_waits(self, start: ItemStarted) -> Waits:
        """The deadlines of an item; its proposal and its notice follow at once."""
        decision_id = new_id()
        ends_at = self._legal_now() + bare_workflow.NOTICE
        self._tell(*(
            (Signal.DECISION_PROPOSED, DecisionProposedSignal(
                event_id=new_id(), decision_id=decision_id, outcome=Outcome.GRANT, notice_ends_at=end, leap=self._leap))
            for end in (None, ends_at)
        ))
        return Waits(leap=self._leap, wakes=[
            Wake(deadline_id=new_id(), kind=kind, wake_at=start.accepted_at + within * percent / DUE_PERCENT,
                 elapsed_percent=percent)
            for kind, within in DEADLINES.items() for percent in PERCENTS
        ])

    @activity.defn(name=Activity.RECORD_NOTICE_WAIT)
    async def record_notice_wait(self, wait: NoticeWait) -> Waits:
        """One wake, when the notice ends."""
        wake = Wake(deadline_id=new_id(), kind=DeadlineKind.NOTICE_END, wake_at=wait.ends_at,
                    elapsed_percent=DUE_PERCENT)
        return Waits(leap=self._leap, wakes=[wake])

    @activity.defn(name=Activity.END_PUBLIC_NOTICE)
    async def end_public_notice(self, _notice: EndPublicNotice) -> bool:
        """It has ended."""
        return True

    @activity.defn(name=Activity.WAKE)
    async def wake(self, _due: WakeDue) -> Woken:
        """In time; the officer confirms at once."""
        self._tell((Signal.DECISION_CONFIRMED, DecisionConfirmedSignal(
            event_id=new_id(), decision_id=new_id(), outcome=Outcome.GRANT, first_month=self._legal_now().date(),
            leap=self._leap)))
        return Woken(overdue=False)

    @activity.defn(name=Activity.OFFER_REFERRALS)
    async def offer_referrals(self, _offer: OfferReferrals) -> int:
        """Nothing to offer."""
        return 0

    def _legal_now(self) -> datetime:
        return datetime.now(UTC) + timedelta(microseconds=self._leap.offset_us)

    def _tell(self, *words: tuple[Signal, Any]) -> None:
        handle = self._client.get_workflow_handle(_asking_workflow())

        async def tell() -> None:
            for name, message in words:
                await handle.signal(name, message)

        task = asyncio.create_task(tell())
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)


class BareServices:
    """The same for the bare workflow, which counts words instead of reading them."""

    WORDS_AFTER: Final = {1: 2, 4: 1}
    """How many words follow the so-manieth answer: proposal and notice after the first, the confirmation later."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._answers: Counter[str] = Counter()
        self._telling: set[asyncio.Task[None]] = set()

    @property
    def queues(self) -> dict[str, Activities]:
        """Activities by task queue."""
        return {bare_workflow.COORDINATION: [self.answer], bare_workflow.APPROVAL: [self.answer]}

    async def start(self) -> Any:
        """Start one bare workflow; the handle."""
        return await self._client.start_workflow(
            bare_workflow.BareWorkflow.run, MESSAGE, id=f"bare-{new_id()}", task_queue=bare_workflow.QUEUE)

    @activity.defn(name=bare_workflow.ANSWER)
    async def answer(self, start: str) -> str:
        """Whatever was asked."""
        workflow_id = _asking_workflow()
        self._answers[workflow_id] += 1
        task = asyncio.create_task(self._tell(workflow_id, self.WORDS_AFTER.get(self._answers[workflow_id], 0)))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)
        return start

    async def _tell(self, workflow_id: str, words: int) -> None:
        handle = self._client.get_workflow_handle(workflow_id)
        for _ in range(words):
            await handle.signal(bare_workflow.BareWorkflow.word)


def _asking_workflow() -> str:
    """The id of the workflow whose activity is being answered."""
    workflow_id = activity.info().workflow_id
    assert workflow_id is not None
    return workflow_id
