"""Tables of disbursement. Sums in fen; a payment is one period of one award, a posting one side of a transfer."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

SCHEMA = "disbursement"


def _moment(*, nullable: bool = False) -> Column[Any]:
    return Column(DateTime(timezone=True), nullable=nullable)


class AwardRow(SQLModel, table=True):
    """Our copy of an award (待遇)."""

    __tablename__ = "awards"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("awards_case", "case_id"),
        Index("awards_standing", "place", "period", "first_month"),
        CheckConstraint("amount_fen > 0", name="awards_amount_fen_check"),
        {"schema": SCHEMA},
    )

    award_id: UUID = Field(primary_key=True)
    case_id: UUID
    item_id: UUID
    jurisdiction: str = Field(sa_type=Text)
    epoch: int
    place: str = Field(sa_type=Text)
    """The paying county (6 digits)."""
    benefit: str = Field(sa_type=Text)
    amount_fen: int = Field(sa_type=BigInteger)
    period: str = Field(sa_type=Text)
    first_month: date
    last_month: date | None = None
    payee_person_id: UUID


class PaymentRow(SQLModel, table=True):
    """One period of one award. The unique key is what makes a second payment impossible."""

    __tablename__ = "payments"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        UniqueConstraint("award_id", "period", name="payments_once_per_period"),
        Index("payments_case", "case_id"),
        Index("payments_to_send", "payment_id", postgresql_where="state = 'instructed'"),
        CheckConstraint("amount_fen > 0", name="payments_amount_fen_check"),
        {"schema": SCHEMA},
    )

    payment_id: UUID = Field(primary_key=True)
    award_id: UUID
    period: date
    case_id: UUID
    item_id: UUID
    jurisdiction: str = Field(sa_type=Text)
    epoch: int
    place: str = Field(sa_type=Text)
    benefit: str = Field(sa_type=Text)
    amount_fen: int = Field(sa_type=BigInteger)
    payee_person_id: UUID
    state: str = Field(sa_type=Text)
    reason_code: str | None = Field(default=None, sa_type=Text)
    instructed_at: datetime = Field(sa_column=_moment())
    accepted_at: datetime | None = Field(default=None, sa_column=_moment(nullable=True))
    ended_at: datetime | None = Field(default=None, sa_column=_moment(nullable=True))


class PostingRow(SQLModel, table=True):
    """One side of a transfer. Append-only; the sides of a transfer add up to nothing (a constraint)."""

    __tablename__ = "postings"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (Index("postings_payment", "payment_id"), Index("postings_account", "account"),
                      {"schema": SCHEMA})

    transfer_id: UUID = Field(primary_key=True)
    account: str = Field(primary_key=True, sa_type=Text)
    payment_id: UUID
    jurisdiction: str = Field(sa_type=Text)
    amount_fen: int = Field(sa_type=BigInteger)
    posted_at: datetime = Field(sa_column=_moment())


class StatementLineRow(SQLModel, table=True):
    """A line of the bank's statement as it came. Append-only; `matched` says whether it fitted a payment."""

    __tablename__ = "statement_lines"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("statement_lines_payment", "payment_id"),
        Index("statement_lines_unexplained", "taken_at", postgresql_where="not matched"),
        {"schema": SCHEMA},
    )

    line_id: UUID = Field(primary_key=True)
    payment_id: UUID
    kind: str = Field(sa_type=Text)
    amount_fen: int = Field(sa_type=BigInteger)
    booked_at: datetime = Field(sa_column=_moment())
    reason_code: str | None = Field(default=None, sa_type=Text)
    matched: bool
    taken_at: datetime = Field(sa_column=_moment())


class BankWaitRow(SQLModel, table=True):
    """The bank failed again and again: no order goes out before `next_try_at` (legal time). At most one row."""

    __tablename__ = "bank_waits"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": SCHEMA}

    party: str = Field(primary_key=True, sa_type=Text)
    reason: str = Field(sa_type=Text)
    since: datetime = Field(sa_column=_moment())
    next_try_at: datetime = Field(sa_column=_moment())
    tries_count: int


class OrderWaitRow(SQLModel, table=True):
    """One order that the bank takes in no batch: it waits until `next_try_at` (legal time) and holds up no other."""

    __tablename__ = "order_waits"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (Index("order_waits_case", "case_id"), {"schema": SCHEMA})

    payment_id: UUID = Field(primary_key=True)
    case_id: UUID
    jurisdiction: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    since: datetime = Field(sa_column=_moment())
    next_try_at: datetime = Field(sa_column=_moment())
    tries_count: int
