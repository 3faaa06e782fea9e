"""Tables of approval. `jurisdiction` is the deciding owner of the item; row level security goes by it."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, ForeignKeyConstraint, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

SCHEMA = "approval"


class ItemState(StrEnum):
    """Where an item stands with us."""

    OPEN = "open"
    """Evidence is being gathered."""
    WAITING = "waiting"
    """Something is missing; `waits_on` says whose move it is."""
    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"


class DecisionState(StrEnum):
    """Where a decision stands."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    SUPERSEDED = "superseded"
    """New evidence, or a small sum, led to another decision before this one was confirmed."""
    WITHDRAWN = "withdrawn"


class NoticeState(StrEnum):
    """Where a public notice stands. Whether it may still be seen is a matter of its dates."""

    OPEN = "open"
    ENDED = "ended"
    CLOSED = "closed"
    """Taken down early: its proposal was superseded or withdrawn."""


class EvidenceEffect(StrEnum):
    """What a verification led to."""

    PROPOSED = "proposed"
    MISSING = "missing"
    UNCHANGED = "unchanged"
    STALE = "stale"
    """A later revision had come before it."""
    TOO_LATE = "too_late"
    """The item was already confirmed or withdrawn: recorded, nothing changed."""


def _moment(*, nullable: bool = False) -> Column[datetime]:
    return Column(DateTime(timezone=True), nullable=nullable)


def _document(*, nullable: bool = False) -> Column[Any]:
    return Column(JSONB, nullable=nullable)


class ItemRow(SQLModel, table=True):
    """Our copy of an accepted item (事项)."""

    __tablename__ = "items"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("items_case", "case_id"),
        Index("items_jurisdiction", "jurisdiction"),
        CheckConstraint("epoch >= 1", name="items_epoch_check"),
        CheckConstraint("household_size >= 1", name="items_household_size_check"),
        {"schema": SCHEMA},
    )

    item_id: UUID = Field(primary_key=True)
    case_id: UUID
    jurisdiction: str = Field(sa_type=Text)
    epoch: int
    benefit: str = Field(sa_type=Text)
    household_id: UUID
    applicant_person_id: UUID
    applicant_masked_name: str = Field(sa_type=Text)
    applicant_is_adult: bool
    household_size: int
    members: list[dict[str, Any]] = Field(sa_column=_document())
    standard: str = Field(sa_type=Text)
    living_area: str = Field(sa_type=Text)
    near_relative_of_officer: bool
    accepted_at: datetime = Field(sa_column=_moment())
    state: str = Field(sa_type=Text)
    evidence_revision: int
    waits_on: str | None = Field(default=None, sa_type=Text)
    missing: list[str] = Field(sa_column=_document())


class EvidenceRow(SQLModel, table=True):
    """That a verification came, and what it led to. Append-only; the facts stay with verification."""

    __tablename__ = "evidence"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (Index("evidence_item", "item_id"), {"schema": SCHEMA})

    verification_id: UUID = Field(primary_key=True)
    revision: int = Field(primary_key=True)
    item_id: UUID
    case_id: UUID
    jurisdiction: str = Field(sa_type=Text)
    visited_on: date | None = None
    effect: str = Field(sa_type=Text)
    recorded_at: datetime = Field(sa_column=_moment())


class DecisionRow(SQLModel, table=True):
    """A decision (审核确认), from the rulebook's proposal to a named officer's confirmation."""

    __tablename__ = "decisions"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("decisions_case", "case_id"),
        # One decision stands per item, whatever is sent twice or at the same moment.
        Index("decisions_one_standing", "item_id", unique=True,
              postgresql_where="state in ('proposed', 'confirmed')"),
        CheckConstraint("amount_fen > 0", name="decisions_amount_fen_check"),
        CheckConstraint("(outcome = 'grant') = (amount_fen is not null and period is not null)",
                        name="decisions_grant_check"),
        CheckConstraint("(state = 'confirmed') = (confirmed_at is not null and confirmed_by is not null)",
                        name="decisions_confirmed_check"),
        {"schema": SCHEMA},
    )

    decision_id: UUID = Field(primary_key=True)
    item_id: UUID
    case_id: UUID
    jurisdiction: str = Field(sa_type=Text)
    epoch: int
    benefit: str = Field(sa_type=Text)
    outcome: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    amount_fen: int | None = Field(default=None, sa_type=BigInteger)
    period: str | None = Field(default=None, sa_type=Text)
    level: str = Field(sa_type=Text)
    explanation: dict[str, Any] = Field(sa_column=_document())
    rulebook_version: str = Field(sa_type=Text)
    rule_date: date
    proposed_at: datetime = Field(sa_column=_moment())
    confirmable_from: date
    confirmed_at: datetime | None = Field(default=None, sa_column=_moment(nullable=True))
    confirmed_by: str | None = Field(default=None, sa_type=Text)
    first_month: date | None = None
    small_sum: bool
    cause: str | None = Field(default=None, sa_type=Text)


class NoticeRow(SQLModel, table=True):
    """A public notice (公示). Its text is these columns and nothing else."""

    __tablename__ = "notices"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("notices_ends_on", "ends_on"),
        Index("notices_case", "case_id"),
        CheckConstraint("amount_fen > 0", name="notices_amount_fen_check"),
        CheckConstraint("ends_on > opened_on", name="notices_days_check"),
        ForeignKeyConstraint(["decision_id"], ["approval.decisions.decision_id"], name="notices_decision_fkey"),
        {"schema": SCHEMA},
    )

    notice_id: UUID = Field(primary_key=True)
    decision_id: UUID = Field(unique=True)
    item_id: UUID
    case_id: UUID
    jurisdiction: str = Field(sa_type=Text)
    masked_name: str = Field(sa_type=Text)
    household_size: int
    amount_fen: int = Field(sa_type=BigInteger)
    opened_on: date
    ends_on: date
    ends_at: datetime = Field(sa_column=_moment())
    areas: list[str] = Field(sa_column=_document())
    state: str = Field(sa_type=Text)


class AwardRow(SQLModel, table=True):
    """What a confirmed grant gives (待遇). One per decision."""

    __tablename__ = "awards"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("awards_case", "case_id"),
        CheckConstraint("amount_fen > 0", name="awards_amount_fen_check"),
        ForeignKeyConstraint(["decision_id"], ["approval.decisions.decision_id"], name="awards_decision_fkey"),
        {"schema": SCHEMA},
    )

    award_id: UUID = Field(primary_key=True)
    decision_id: UUID = Field(unique=True)
    item_id: UUID
    case_id: UUID
    jurisdiction: str = Field(sa_type=Text)
    benefit: str = Field(sa_type=Text)
    amount_fen: int = Field(sa_type=BigInteger)
    period: str = Field(sa_type=Text)
    first_month: date
    payee_person_id: UUID
    household_size: int
    started_at: datetime = Field(sa_column=_moment())
