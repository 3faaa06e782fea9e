"""Family `payment`: money on its way (发放). Each (award, period) is paid exactly once while the award stands."""

from __future__ import annotations

from datetime import date
from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from contracts.benefits import Benefit
from contracts.envelope import Event


class PaymentInstructed(Event):
    """The ledger committed this sum to the payee; the bank is told."""

    TYPE: ClassVar[str] = "payment.instructed.v1"

    payment_id: UUID
    award_id: UUID
    benefit: Benefit
    period: date = Field(description="First day of the month paid for.")
    amount_fen: int = Field(gt=0)


class PaymentSettled(Event):
    """The bank's statement shows the money with the payee."""

    TYPE: ClassVar[str] = "payment.settled.v1"

    payment_id: UUID
    award_id: UUID
    period: date
    amount_fen: int = Field(gt=0)
    settled_at: AwareDatetime


class PaymentReturned(Event):
    """The bank gave the money back, with its reason."""

    TYPE: ClassVar[str] = "payment.returned.v1"

    payment_id: UUID
    award_id: UUID
    period: date
    amount_fen: int = Field(gt=0)
    reason_code: str
