"""An item that has to wait: its legal clocks, the public notice, the officer's confirmation, and what follows."""

from __future__ import annotations

from uuid import UUID

from temporalio import workflow

from contracts.catalogue import APPROVAL, COORDINATION
from contracts.events.deadline import DeadlineKind
from contracts.events.decision import Outcome
from contracts.processes import (
    Activity,
    DecisionConfirmedSignal,
    DecisionProposedSignal,
    EndPublicNotice,
    EvidenceMissingSignal,
    ItemStarted,
    ItemWithdrawnSignal,
    NoticeWait,
    OfferReferrals,
    Signal,
    Stage,
    Waits,
    Wake,
    WakeDue,
    WorkflowName,
)
from workflows.agenda import (
    DUE_AT,
    JURISDICTION,
    OVERDUE,
    OWNER,
    STAGE,
    Agenda,
    AsksServices,
    RefusedByService,
    SeenEvents,
    ask_once,
)
from workflows.legal_wait import LegalWait


@workflow.defn(name=WorkflowName.ITEM)
class ItemWorkflow(AsksServices):
    """Waits from acceptance to the item's end. A deadline that passes is told and never ends the wait."""

    @workflow.init
    def __init__(self, start: ItemStarted) -> None:
        self.clock = LegalWait(start.leap)
        self._start = start
        self._agenda = Agenda(self.clock)
        self._seen = SeenEvents()
        self._notices: dict[UUID, UUID] = {}
        """Deadline of a notice → its decision."""
        self._proposal: DecisionProposedSignal | None = None
        self._answered_proposal: DecisionProposedSignal | None = None
        self._decision: DecisionConfirmedSignal | None = None
        self._withdrawn = False

    @workflow.run
    async def run(self, start: ItemStarted) -> Stage:
        """The story of an item; how it ended."""
        await self._record_deadlines()
        while (proposal := await self._next_proposal()) is not None:
            await self._take_up(proposal)
        if self._decision is None:
            return self._show(Stage.WITHDRAWN)
        if self._decision.outcome is Outcome.REFUSE:
            return self._show(Stage.REFUSED)
        await self._refer_to_departments(self._decision)
        return self._show(Stage.GRANTED)

    @workflow.signal(name=Signal.DECISION_PROPOSED)
    def decision_proposed(self, signal: DecisionProposedSignal) -> None:
        """The rulebook's proposal is there, or its notice is posted: two events, told in either order."""
        self.clock.learn(signal.leap)
        known = self._proposal is not None and self._proposal.decision_id == signal.decision_id
        if self._seen.is_new(signal.event_id) and not (known and signal.notice_ends_at is None):
            self._proposal = signal

    @workflow.signal(name=Signal.EVIDENCE_MISSING)
    def evidence_missing(self, signal: EvidenceMissingSignal) -> None:
        """The proposal, if there was one, is void: wait for the next."""
        self.clock.learn(signal.leap)
        if self._seen.is_new(signal.event_id) and self._proposal is not None:
            self._proposal = self._answered_proposal = None
            self._show(Stage.INVESTIGATING)

    @workflow.signal(name=Signal.DECISION_CONFIRMED)
    def decision_confirmed(self, signal: DecisionConfirmedSignal) -> None:
        """A named officer confirmed."""
        self.clock.learn(signal.leap)
        if self._seen.is_new(signal.event_id) and self._decision is None:
            self._decision = signal

    @workflow.signal(name=Signal.ITEM_WITHDRAWN)
    def item_withdrawn(self, signal: ItemWithdrawnSignal) -> None:
        """The household withdrew."""
        self.clock.learn(signal.leap)
        self._withdrawn = True

    async def _record_deadlines(self) -> None:
        subject = self._start.subject
        self._show(Stage.INVESTIGATING)
        workflow.upsert_search_attributes([
            JURISDICTION.value_set(subject.jurisdiction),
            OWNER.value_set(subject.owner or subject.jurisdiction),
            OVERDUE.value_set(False),
        ])
        waits = await self.ask(COORDINATION, Activity.RECORD_ITEM_WAITS, self._start, Waits)
        self._agenda.add(waits)
        decide_by = [wake.wake_at for wake in waits.wakes if wake.kind is DeadlineKind.DECIDE]
        if decide_by:
            workflow.upsert_search_attributes([DUE_AT.value_set(max(decide_by))])

    async def _next_proposal(self) -> DecisionProposedSignal | None:
        """A proposal not taken up yet, or None once the item is decided or withdrawn; clocks run meanwhile."""
        await self._agenda.until(lambda: self._is_over() or self._proposal is not self._answered_proposal, self._act)
        return None if self._is_over() else self._proposal

    async def _take_up(self, proposal: DecisionProposedSignal) -> None:
        """A refusal goes to the officer at once; a proposed grant is posted, and its end is one more moment."""
        self._answered_proposal = proposal
        if proposal.outcome is Outcome.REFUSE:
            self._show(Stage.AWAITING_CONFIRMATION)
        elif proposal.notice_ends_at is None:
            self._show(Stage.PROPOSED)
        else:
            self._show(Stage.IN_NOTICE)
            wait = NoticeWait(subject=self._start.subject, decision_id=proposal.decision_id,
                              ends_at=proposal.notice_ends_at)
            waits = await self.ask(COORDINATION, Activity.RECORD_NOTICE_WAIT, wait, Waits)
            self._notices.update({wake.deadline_id: proposal.decision_id for wake in waits.wakes})
            self._agenda.add(waits)

    async def _act(self, due: Wake) -> None:
        decision_id = self._notices.get(due.deadline_id)
        if decision_id is not None:
            await self._end_notice(decision_id)
            if self._proposal is not None and self._proposal.decision_id == decision_id:
                self._show(Stage.AWAITING_CONFIRMATION)
        # Last: until the wake is acted on, legal time holds still.
        await self.wake(WakeDue(subject=self._start.subject, wake=due))

    async def _end_notice(self, decision_id: UUID) -> None:
        notice = EndPublicNotice(subject=self._start.subject, decision_id=decision_id)
        try:
            await ask_once(APPROVAL, Activity.END_PUBLIC_NOTICE, notice, bool)
        except RefusedByService as refused:
            # The item waits on its officer all the same: who confirms goes by the notice's date, not by this word.
            # Its deadline stays open beyond its moment, which `onething invariants` names.
            workflow.set_current_details(str(refused))

    async def _refer_to_departments(self, decision: DecisionConfirmedSignal) -> None:
        offer = OfferReferrals(subject=self._start.subject, benefit=self._start.benefit,
                               decision_id=decision.decision_id, first_month=decision.first_month)
        await self.ask(COORDINATION, Activity.OFFER_REFERRALS, offer, int)

    def _is_over(self) -> bool:
        return self._decision is not None or self._withdrawn

    def _show(self, stage: Stage) -> Stage:
        workflow.upsert_search_attributes([STAGE.value_set(stage)])
        return stage
