"""What we ask of the bank: payment batches, idempotent by payment id, and its statement."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field

from contracts.http.message import Answer, Command, Moment


class PaymentOrder(Command):
    """Pay one sum to one account."""

    payment_id: UUID
    amount_fen: Annotated[int, Field(gt=0)]
    payee: str = Field(description="JWE to the bank's key: {name, bank_account}.")
    purpose: Annotated[str, Field(max_length=60)]
    period: date


class PaymentBatch(Command):
    """`POST /payment-batches` of the bank."""

    batch_id: UUID
    legal_time: AwareDatetime
    orders: Annotated[list[PaymentOrder], Field(min_length=1, max_length=1000)]


class OrderStatus(StrEnum):
    """What the bank says to an order."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


class OrderResult(Answer):
    """The bank's word on one order; the same for an order sent again."""

    payment_id: UUID
    status: OrderStatus
    reason_code: str | None = None


class BatchResult(Answer):
    """The bank's word on a batch."""

    results: list[OrderResult]


class LineKind(StrEnum):
    """What happened to the money."""

    SETTLED = "settled"
    RETURNED = "returned"


class StatementLine(Command):
    """One line of the bank's statement, with the bank's own line id."""

    line_id: UUID
    payment_id: UUID
    kind: LineKind
    amount_fen: Annotated[int, Field(gt=0, le=100_000_000_00, strict=True)]
    booked_at: Moment
    reason_code: Annotated[str, Field(max_length=200)] | None = None


class Statement(Command):
    """`POST /bank/statements` of disbursement; also the bank's `GET /statements`."""

    lines: Annotated[list[StatementLine], Field(max_length=1000)]


class LinesTaken(Answer):
    """How many lines were new."""

    taken: int
