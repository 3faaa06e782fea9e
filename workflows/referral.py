"""An item at another department: silence is late and is chased, but never an answer."""

from __future__ import annotations

from temporalio import workflow

from contracts.catalogue import COORDINATION
from contracts.events.referral import ReferralAnswer
from contracts.processes import (
    Activity,
    ReferralAnsweredSignal,
    ReferralStarted,
    Signal,
    Waits,
    Wake,
    WakeDue,
    WorkflowName,
)
from workflows.agenda import DUE_AT, JURISDICTION, OVERDUE, OWNER, STAGE, Agenda, AsksServices, SeenEvents
from workflows.legal_wait import LegalWait

OFFERED = "offered"


@workflow.defn(name=WorkflowName.REFERRAL)
class ReferralWorkflow(AsksServices):
    """Waits for the department's final answer."""

    @workflow.init
    def __init__(self, start: ReferralStarted) -> None:
        self.clock = LegalWait(start.leap)
        self._start = start
        self._agenda = Agenda(self.clock)
        self._seen = SeenEvents()
        self._answer: ReferralAnswer | None = None

    @workflow.run
    async def run(self, start: ReferralStarted) -> ReferralAnswer:
        """Remind, escalate, keep waiting; what the department answered."""
        workflow.upsert_search_attributes([
            STAGE.value_set(OFFERED),
            JURISDICTION.value_set(start.subject.jurisdiction),
            OWNER.value_set(start.department),
            DUE_AT.value_set(start.answer_by),
            OVERDUE.value_set(False),
        ])
        self._agenda.add(await self.ask(COORDINATION, Activity.RECORD_REFERRAL_WAIT, start, Waits))
        await self._agenda.until(lambda: self._answer is not None, self._act)
        assert self._answer is not None
        workflow.upsert_search_attributes([STAGE.value_set(self._answer)])
        return self._answer

    @workflow.signal(name=Signal.REFERRAL_ANSWERED)
    def referral_answered(self, signal: ReferralAnsweredSignal) -> None:
        """The department answered; `received` only says that it has begun."""
        self.clock.learn(signal.leap)
        if self._seen.is_new(signal.event_id) and signal.answer is not ReferralAnswer.RECEIVED:
            self._answer = signal.answer

    async def _act(self, due: Wake) -> None:
        await self.wake(WakeDue(subject=self._start.subject, wake=due))
