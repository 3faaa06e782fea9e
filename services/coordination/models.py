"""Tables of coordination. `jurisdiction` is who may see the row (row level security)."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

SCHEMA = "coordination"


class DeadlineState(StrEnum):
    """Where a deadline stands."""

    OPEN = "open"
    MET = "met"
    """In time, or no longer owed."""
    PASSED = "passed"
    """Too late, and said so. What it waited for may have come since (`met_at`)."""


class SignalKind(StrEnum):
    """What the bridge does with a row."""

    START = "start"
    SIGNAL = "signal"


def _moment(*, nullable: bool = True) -> Column[datetime]:
    return Column(DateTime(timezone=True), nullable=nullable)


def _texts() -> Column[Any]:
    return Column(ARRAY(Text), nullable=False, server_default=text("'{}'"))


class CaseRow(SQLModel, table=True):
    """A household's one thing. Facts only ever come to be known, whatever order events arrive in."""

    __tablename__ = "cases"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (Index("cases_jurisdiction", "jurisdiction"), {"schema": SCHEMA})

    case_id: UUID = Field(primary_key=True)
    jurisdiction: str = Field(sa_type=Text)
    benefits_asked: list[str] = Field(sa_column=_texts())
    submitted_at: datetime | None = Field(default=None, sa_column=_moment())
    visited_at: datetime | None = Field(default=None, sa_column=_moment())
    concluded_at: datetime | None = Field(default=None, sa_column=_moment())
    results: list[dict[str, Any]] | None = Field(default=None, sa_column=Column(JSONB))


class ItemRow(SQLModel, table=True):
    """What is known about an item; its stage follows from these facts (`rules.stage`)."""

    __tablename__ = "items"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("items_case", "case_id"),
        Index("items_jurisdiction", "jurisdiction"),
        Index("items_undecided_at_once", "accepted_at",
              postgresql_where="at_once and confirmed_at is null and withdrawn_at is null"),
        {"schema": SCHEMA},
    )

    item_id: UUID = Field(primary_key=True)
    case_id: UUID
    jurisdiction: str = Field(sa_type=Text)
    owner: str | None = Field(default=None, sa_type=Text)
    epoch: int | None = None
    benefit: str | None = Field(default=None, sa_type=Text)
    accepted_at: datetime | None = Field(default=None, sa_column=_moment())
    at_once: bool | None = Field(default=None, sa_column=Column(Boolean))
    """Accepted with a small sum: confirmed with the same signature, nothing to wait for, no workflow.

    False once that was refused, or has not come within the time for it: then it waits like any other.
    """
    applicant_person_id: UUID | None = None
    has_electricity_account: bool | None = Field(default=None, sa_column=Column(Boolean))
    supplement_requested_at: datetime | None = Field(default=None, sa_column=_moment())
    not_accepted_at: datetime | None = Field(default=None, sa_column=_moment())
    withdrawn_at: datetime | None = Field(default=None, sa_column=_moment())
    investigating_at: datetime | None = Field(default=None, sa_column=_moment())
    proposed_at: datetime | None = Field(default=None, sa_column=_moment())
    proposed_event_id: UUID | None = None
    decision_id: UUID | None = None
    """The decision that stands: the one proposed or confirmed last."""
    proposed_outcome: str | None = Field(default=None, sa_type=Text)
    evidence_missing_at: datetime | None = Field(default=None, sa_column=_moment())
    """The evidence neither grants nor refuses; later than `proposed_at` where it made that proposal void.

    Both may be recorded in one moment: then the ids of their events tell which came later.
    """
    evidence_missing_event_id: UUID | None = None
    notice_decision_id: UUID | None = None
    notice_ends_at: datetime | None = Field(default=None, sa_column=_moment())
    notice_ended_decision_id: UUID | None = None
    notice_ended_at: datetime | None = Field(default=None, sa_column=_moment())
    confirmed_at: datetime | None = Field(default=None, sa_column=_moment())
    outcome: str | None = Field(default=None, sa_type=Text)
    amount_fen: int | None = Field(default=None, sa_type=BigInteger)
    small_sum: bool | None = Field(default=None, sa_column=Column(Boolean))
    paid_at: datetime | None = Field(default=None, sa_column=_moment())
    referrals_offered_at: datetime | None = Field(default=None, sa_column=_moment())
    """Whatever the grant opens elsewhere has been offered, also where that was nothing."""


class TimelineRow(SQLModel, table=True):
    """One event of a case, as anyone may retell it: no personal data."""

    __tablename__ = "timeline"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (Index("timeline_case", "case_id"), {"schema": SCHEMA})

    event_id: UUID = Field(primary_key=True)
    case_id: UUID
    item_id: UUID | None = None
    type: str = Field(sa_type=Text)
    legal_time: datetime = Field(sa_column=_moment(nullable=False))
    jurisdiction: str = Field(sa_type=Text)


class TaskRow(SQLModel, table=True):
    """Something an officer is asked to do. Its due moment is the deadline's, joined in when it is read."""

    __tablename__ = "tasks"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("tasks_once", "kind", "item_id", "reference_id", unique=True),
        Index("tasks_open", "jurisdiction", postgresql_where="closed_at is null"),
        Index("tasks_case", "case_id"),
        {"schema": SCHEMA},
    )

    task_id: UUID = Field(primary_key=True)
    kind: str = Field(sa_type=Text)
    case_id: UUID
    item_id: UUID
    jurisdiction: str = Field(sa_type=Text)
    reference_id: UUID
    opens_on: date | None = None
    wanted: list[str] = Field(sa_column=_texts())
    created_at: datetime = Field(sa_column=_moment(nullable=False))
    closed_at: datetime | None = Field(default=None, sa_column=_moment())


class DeadlineRow(SQLModel, table=True):
    """A moment by which something must have happened (时限). `due_at` is the first moment that is too late."""

    __tablename__ = "deadlines"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("deadlines_once", "workflow_id", "kind", "reference", unique=True),
        Index("deadlines_case", "case_id"),
        Index("deadlines_item_open", "item_id", postgresql_where="met_at is null"),
        CheckConstraint("state in ('open', 'met', 'passed')", name="deadlines_state_check"),
        {"schema": SCHEMA},
    )

    deadline_id: UUID = Field(primary_key=True)
    workflow_id: str = Field(sa_type=Text)
    """Who waits: the workflow that is told when the clock leaps past a wake."""
    kind: str = Field(sa_type=Text)
    reference: str = Field(sa_type=Text)
    """The decision of a notice, the month of a pay day; empty where an item has one of the kind."""
    case_id: UUID | None = None
    item_id: UUID | None = None
    jurisdiction: str = Field(sa_type=Text)
    owner: str | None = Field(default=None, sa_type=Text)
    epoch: int | None = None
    starts_at: datetime = Field(sa_column=_moment(nullable=False))
    due_at: datetime = Field(sa_column=_moment(nullable=False))
    provisional: bool
    waits_on: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    met_at: datetime | None = Field(default=None, sa_column=_moment())
    told_leap: int = Field(sa_type=BigInteger)
    """The newest leap its workflow knows of."""
    workflow_gone_at: datetime | None = Field(default=None, sa_column=_moment())
    """Nobody waits any more: the workflow ended, or Temporal lost it."""


class WakeRow(SQLModel, table=True):
    """A moment of a deadline: a reminder, or its end."""

    __tablename__ = "wakes"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("wakes_next", "wake_at", postgresql_where="woken_at is null"),
        ForeignKeyConstraint(["deadline_id"], ["coordination.deadlines.deadline_id"], name="wakes_deadline_fkey"),
        {"schema": SCHEMA},
    )

    deadline_id: UUID = Field(primary_key=True)
    elapsed_percent: int = Field(primary_key=True)
    wake_at: datetime = Field(sa_column=_moment(nullable=False))
    woken_at: datetime | None = Field(default=None, sa_column=_moment())


class ReferralRow(SQLModel, table=True):
    """An item decided by another department (转介); `item_id` is the referral's own."""

    __tablename__ = "referrals"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("referrals_once", "because_item_id", "benefit", unique=True),
        Index("referrals_case", "case_id"),
        Index("referrals_jurisdiction", "jurisdiction"),
        {"schema": SCHEMA},
    )

    item_id: UUID = Field(primary_key=True)
    case_id: UUID
    because_item_id: UUID
    jurisdiction: str = Field(sa_type=Text)
    department: str = Field(sa_type=Text)
    benefit: str = Field(sa_type=Text)
    from_month: date
    answer_by: datetime = Field(sa_column=_moment(nullable=False))
    offered_at: datetime = Field(sa_column=_moment(nullable=False))
    received_at: datetime | None = Field(default=None, sa_column=_moment())
    answer: str | None = Field(default=None, sa_type=Text)
    """The final answer; `received` is none."""
    answered_at: datetime | None = Field(default=None, sa_column=_moment())
    amount_fen_month: int | None = Field(default=None, sa_type=BigInteger)
    granted_from_month: date | None = None
    reason: str | None = Field(default=None, sa_type=Text)


class PaymentRunRow(SQLModel, table=True):
    """A place that pays monthly: its standing workflow was asked for."""

    __tablename__ = "payment_runs"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": SCHEMA}

    place: str = Field(primary_key=True, sa_type=Text)
    asked_at: datetime = Field(sa_column=_moment(nullable=False))


class PendingSignalRow(SQLModel, table=True):
    """A word to a workflow, written with the change that causes it and sent afterwards, in order per case.

    Times are machine time: they order sending and leaps, not legal moments.
    """

    __tablename__ = "pending_signals"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("pending_signals_unsent", "id", postgresql_where="sent_at is null"),
        Index("pending_signals_sent", "sent_at"),
        {"schema": SCHEMA},
    )

    id: int | None = Field(default=None, sa_column=Column(BigInteger, primary_key=True))
    case_id: UUID | None = None
    workflow_id: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    """The workflow to start, or the signal to send."""
    message: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))
    """Without the leap, which is read when it is sent."""
    created_at: datetime = Field(
        sa_column=Column(DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()"))
    )
    sent_at: datetime | None = Field(default=None, sa_column=_moment())
    delivery: str | None = Field(default=None, sa_type=Text)
