"""What officers and departments send us: visit reports, findings, confirmations, referral answers; and tasks."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, Field

from contracts.benefits import Benefit
from contracts.events.referral import ReferralAnswer
from contracts.facts import Fact
from contracts.http.application import EmergencyCause, Fen
from contracts.http.message import Answer, Command, Unidentifying
from contracts.vocabulary import GrowingVocabulary

OfficerId = Annotated[str, Field(pattern=r"^officer:\d{6,12}:[a-z0-9]{1,16}$")]


class Finding(Command):
    """Something only an officer can find, signed, with the document it relies on."""

    fact: Fact
    document: Annotated[Unidentifying, Field(min_length=1, max_length=200)] = Field(
        description="What was seen or read."
    )


class ReportVisit(Command):
    """`POST /visits/{id}/report` of verification. At least two different investigators."""

    visited_on: date
    investigators: Annotated[list[OfficerId], Field(min_length=2, max_length=10)]
    findings: Annotated[list[Finding], Field(max_length=100)] = []
    note: Annotated[Unidentifying, Field(max_length=2000)] | None = None


class RecordFindings(Command):
    """`POST /items/{id}/findings` of verification: evidence given after the visit."""

    findings: Annotated[list[Finding], Field(min_length=1, max_length=100)]


class Recorded(Answer):
    """It is on file."""

    id: UUID


class ConfirmSmallSum(Command):
    """`POST /items/{id}/small-sum` of approval."""

    amount_fen: Annotated[int, Field(gt=0, le=100_000_00, strict=True)]
    cause: EmergencyCause


class DecisionView(Answer):
    """A decision as officers see it."""

    decision_id: UUID
    case_id: UUID
    item_id: UUID
    benefit: Benefit
    outcome: str
    state: str
    amount_fen: int | None = None
    confirmable_from: date | None = None
    first_month: date | None = None
    explanation: dict[str, Any] = {}


class AnswerReferral(Command):
    """`POST /departments/{department}/referrals/{item_id}/answers` of coordination."""

    answer: ReferralAnswer
    amount_fen_month: Fen | None = None
    from_month: date | None = None
    reason: Annotated[Unidentifying, Field(max_length=200)] | None = None


class TaskKind(GrowingVocabulary):
    """What an officer is asked to do, and where."""

    VISIT = "visit"
    CONFIRM_DECISION = "confirm_decision"
    GIVE_FINDING = "give_finding"
    CHASE_REFERRAL = "chase_referral"
    DECIDE_SMALL_SUM = "decide_small_sum"


class Task(Answer):
    """One line of an officers' task list, ordered by legal deadline."""

    task_id: UUID
    kind: TaskKind
    case_id: UUID
    item_id: UUID
    benefit: Benefit
    jurisdiction: str
    reference_id: UUID = Field(description="The visit, decision or referral to act on.")
    opens_on: date | None = Field(default=None, description="Not before this day.")
    due_at: AwareDatetime | None = None
    wanted: list[str] = Field(default_factory=list[str], description="Findings that are wanted.")
    created_at: AwareDatetime


class TaskList(Answer):
    """`GET /tasks?jurisdiction=` of coordination."""

    tasks: list[Task]
    more: bool = Field(default=False, description="True where not all are shown: ask for a smaller place.")
