"""Family `award`: what a confirmed decision gives, over periods (待遇)."""

from __future__ import annotations

from datetime import date
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from contracts.benefits import Benefit
from contracts.envelope import Event
from contracts.events.decision import Period


class AwardStarted(Event):
    """A benefit is owed from `first_month` on: once, or each month until the award ends."""

    TYPE: ClassVar[str] = "award.started.v1"

    award_id: UUID
    decision_id: UUID
    benefit: Benefit
    amount_fen: int = Field(gt=0, description="Per period.")
    period: Period
    first_month: date = Field(description="First day of the first month paid.")
    payee_person_id: UUID
    household_size: int = Field(ge=1)


class AwardEnded(Event):
    """Nothing is owed after `last_month`."""

    TYPE: ClassVar[str] = "award.ended.v1"

    award_id: UUID
    benefit: Benefit
    last_month: date
    reason_code: str
