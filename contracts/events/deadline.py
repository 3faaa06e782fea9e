"""Family `deadline`: no moment by which something must have happened passes silently (时限)."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from contracts.envelope import Event
from contracts.vocabulary import GrowingVocabulary


class DeadlineKind(GrowingVocabulary):
    """What must have happened by then."""

    INVESTIGATE = "investigate"
    DECIDE_PROMISED = "decide_promised"
    DECIDE = "decide"
    NOTICE_END = "notice_end"
    ANSWER_REFERRAL = "answer_referral"
    PAY = "pay"


class DeadlineApproaching(Event):
    """A reminder: the named share of the time has gone."""

    TYPE: ClassVar[str] = "deadline.approaching.v1"

    deadline_id: UUID
    kind: DeadlineKind
    due_at: AwareDatetime
    elapsed_percent: int = Field(ge=1, le=99)
    waits_on: str = Field(description="Role and area of whoever has to act.")


class DeadlinePassed(Event):
    """Too late. The next level is told; the wait goes on."""

    TYPE: ClassVar[str] = "deadline.passed.v1"

    deadline_id: UUID
    kind: DeadlineKind
    due_at: AwareDatetime
    waits_on: str
    escalated_to: str = Field(description="Area code of the district now told.")
