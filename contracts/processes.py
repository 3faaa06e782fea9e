"""What must still happen: names, task queues, ids, signals and messages of the Temporal workflows.

Workflow ids, search attributes and summaries are never encrypted: no personal data in them.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict

from contracts.benefits import Benefit, Department
from contracts.envelope import Subject
from contracts.events.deadline import DeadlineKind
from contracts.events.decision import Outcome
from contracts.events.referral import ReferralAnswer

NAMESPACE: Final = "onething"
WORKFLOW_QUEUE: Final = "workflows"
"""Workflow tasks only; activities run on the task queue named like their service."""


DUE_PERCENT: Final = 100
MOMENTS: Final = frozenset({DeadlineKind.NOTICE_END, DeadlineKind.PAY})
"""Kinds at whose end something begins. Nobody can be late for them, so nobody is reminded."""


class SearchAttribute(StrEnum):
    """What an operator may search workflows by."""

    STAGE = "OnethingStage"
    JURISDICTION = "OnethingJurisdiction"
    OWNER = "OnethingOwner"
    DUE_AT = "OnethingDueAt"
    OVERDUE = "OnethingOverdue"


class WorkflowName(StrEnum):
    """The workflows there are."""

    ITEM = "ItemWorkflow"
    REFERRAL = "ReferralWorkflow"
    PAYMENT_RUN = "PaymentRunWorkflow"


class Stage(StrEnum):
    """How far an item is (办理环节). Derived once, by coordination; a workflow names its own in the same words."""

    RECEIVED = "received"
    SUPPLEMENT = "supplement"
    INVESTIGATING = "investigating"
    PROPOSED = "proposed"
    IN_NOTICE = "in_notice"
    AWAITING_CONFIRMATION = "awaiting_confirmation"
    GRANTED = "granted"
    PAID = "paid"
    REFUSED = "refused"
    NOT_ACCEPTED = "not_accepted"
    WITHDRAWN = "withdrawn"


class Signal(StrEnum):
    """What may be told to a running workflow."""

    CLOCK_MOVED = "clock_moved"
    DECISION_PROPOSED = "decision_proposed"
    DECISION_CONFIRMED = "decision_confirmed"
    EVIDENCE_MISSING = "evidence_missing"
    ITEM_WITHDRAWN = "item_withdrawn"
    REFERRAL_ANSWERED = "referral_answered"
    ASK_AGAIN = "ask_again"
    """From an operator, without a message: what made a service refuse has been mended."""


class Activity(StrEnum):
    """Activities by name; each is run by the service that owns the tables it writes."""

    READ_CLOCK = "read_clock"
    RECORD_ITEM_WAITS = "record_item_waits"
    RECORD_NOTICE_WAIT = "record_notice_wait"
    RECORD_REFERRAL_WAIT = "record_referral_wait"
    RECORD_PAYMENT_WAIT = "record_payment_wait"
    WAKE = "wake"
    OFFER_REFERRALS = "offer_referrals"
    END_PUBLIC_NOTICE = "end_public_notice"
    RUN_PAYMENTS = "run_payments"


def item_workflow_id(item_id: UUID) -> str:
    """One workflow per item that has to wait for something."""
    return f"item-{item_id}"


def referral_workflow_id(item_id: UUID) -> str:
    """A referral keeps the id of its item."""
    return f"referral-{item_id}"


def payment_run_workflow_id(place: str) -> str:
    """One standing workflow per paying place."""
    return f"payment-run-{place}"


class Message(BaseModel):
    """Base of everything passed to, from and within workflows."""

    model_config = ConfigDict(frozen=True)


class Leap(Message):
    """Where legal time stands: machine time plus `offset_us`. The highest number wins."""

    number: int = 0
    offset_us: int = 0


class ClockReading(Message):
    """Legal time as Postgres tells it."""

    legal_now: AwareDatetime
    leap: Leap


class Wake(Message):
    """A legal moment at which a workflow has something to do."""

    deadline_id: UUID
    kind: DeadlineKind
    wake_at: datetime
    elapsed_percent: int
    """50 or 80 for a reminder; 100 where the time is up."""

    @property
    def order(self) -> tuple[datetime, int, str]:
        """By time; within a moment what begins or runs first, then reminders, then lateness."""
        late = self.elapsed_percent == DUE_PERCENT
        return self.wake_at, 0 if self.kind in MOMENTS else 1 + late, self.kind


class Waits(Message):
    """Waits as coordination recorded them, in order of time, and the clock by which it did."""

    wakes: list[Wake]
    leap: Leap = Leap()


class ItemStarted(Message):
    """Starts an item's workflow."""

    subject: Subject
    benefit: Benefit
    accepted_at: AwareDatetime
    leap: Leap


class DecisionProposedSignal(Message):
    """The rulebook's proposal is there."""

    event_id: UUID
    decision_id: UUID
    outcome: Outcome
    notice_ends_at: AwareDatetime | None
    leap: Leap


class EvidenceMissingSignal(Message):
    """The evidence no longer carries the proposal: it is void, and its notice is taken down."""

    event_id: UUID
    leap: Leap


class DecisionConfirmedSignal(Message):
    """A named officer confirmed."""

    event_id: UUID
    decision_id: UUID
    outcome: Outcome
    first_month: date | None
    leap: Leap


class ItemWithdrawnSignal(Message):
    """The household withdrew."""

    event_id: UUID
    leap: Leap


class NoticeWait(Message):
    """Record that a public notice runs until `ends_at`."""

    subject: Subject
    decision_id: UUID
    ends_at: AwareDatetime


class WakeDue(Message):
    """A wake's legal moment has come. Recorded once per (deadline, percent)."""

    subject: Subject | None
    """None for the pay day of a place, which belongs to no case."""
    wake: Wake


class Woken(Message):
    """What a wake found."""

    overdue: bool
    """True where the deadline has passed without what it waited for."""


class EndPublicNotice(Message):
    """Close the notice of a decision whose days are over."""

    subject: Subject
    decision_id: UUID


class OfferReferrals(Message):
    """Offer whatever the grant of this item opens at other departments."""

    subject: Subject
    benefit: Benefit
    decision_id: UUID
    first_month: date | None
    """None where the grant is paid once: what it opens then starts with the month of the offer."""


class ReferralStarted(Message):
    """Starts a referral's workflow."""

    subject: Subject
    department: Department
    benefit: Benefit
    answer_by: AwareDatetime
    leap: Leap


class ReferralAnsweredSignal(Message):
    """The department answered."""

    event_id: UUID
    answer: ReferralAnswer
    leap: Leap


class PaymentRunStarted(Message):
    """Starts (or continues) the monthly run of a paying place."""

    place: str
    after: date
    """The run to wait for is the first pay day after this date."""
    leap: Leap


class PaymentDay(Message):
    """The next pay day of a place: what month it pays and when."""

    wake: Wake
    pay_day: date
    period: date
    leap: Leap = Leap()


class RunPayments(Message):
    """Pay every period up to `period` that is owed and not paid yet, of every standing award of a place."""

    place: str
    period: date


class PaymentsInstructed(Message):
    """What a run did. A rerun instructs nothing again."""

    payments_count: int
    amount_fen: int
