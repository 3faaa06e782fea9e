"""Family `referral`: an item decided by another department (转介). It keeps its item id throughout."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import ClassVar

from pydantic import AwareDatetime, Field

from contracts.benefits import Benefit, Department
from contracts.envelope import Event


class Joining(StrEnum):
    """How an item joins a case."""

    FORM = "form"
    TICK = "tick"
    UNASKED = "unasked"
    """免申即享: pushed, and still to be answered."""


class ReferralAnswer(StrEnum):
    """What a department may answer. Silence is late, never an end."""

    RECEIVED = "received"
    GRANTED = "granted"
    REFUSED = "refused"
    NOT_OURS = "not_ours"
    ALREADY_HAS = "already_has"


class ReferralOffered(Event):
    """A department is asked to decide an item of its own for this household."""

    TYPE: ClassVar[str] = "referral.offered.v1"

    department: Department
    benefit: Benefit
    because_of: Benefit = Field(description="The granted benefit that opens this one.")
    joining: Joining
    from_month: date = Field(description="First day of the month from which it should apply.")
    answer_by: AwareDatetime
    recipient_data: str = Field(
        description="What the department needs to recognise the household, encrypted to its key (JWE compact)."
    )


class ReferralAnswered(Event):
    """The department answered."""

    TYPE: ClassVar[str] = "referral.answered.v1"

    department: Department
    benefit: Benefit
    answer: ReferralAnswer
    amount_fen_month: int | None = None
    from_month: date | None = None
    reason: str | None = Field(default=None, max_length=200)
