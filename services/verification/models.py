"""Tables of verification. `jurisdiction` is who may see the row (row level security)."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, DateTime, ForeignKeyConstraint, Index, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

SCHEMA = "verification"


class CheckState(StrEnum):
    """Where a means check stands."""

    AWAITING_AUTHORISATION = "awaiting_authorisation"
    """Some adult has not authorised, or nobody for a child: no source may be asked."""
    ASKING = "asking"
    COMPLETED = "completed"
    STOPPED = "stopped"
    """Every item of the case was withdrawn."""


class QueryState(StrEnum):
    """Where one question to one source about one person stands."""

    DUE = "due"
    ASKING = "asking"
    """In a request under way; due again when its lease (machine time) ends without a result."""
    ASKED = "asked"
    """The source has the question and answers later: it waits on the source."""
    WAITING = "waiting"
    """The source could not be asked, again and again: it waits until it is asked again."""
    ANSWERED = "answered"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    """An officer had it asked anew, under a new id."""


class VisitState(StrEnum):
    """Where a visit stands."""

    ORDERED = "ordered"
    REPORTED = "reported"
    CANCELLED = "cancelled"


class VerificationState(StrEnum):
    """Where the evidence about one item stands."""

    GATHERING = "gathering"
    COMPLETED = "completed"
    WITHDRAWN = "withdrawn"


class EvidenceKind(StrEnum):
    """What a piece of evidence is."""

    DECLARATION = "declaration"
    SOURCE_ANSWER = "source_answer"
    VISIT_REPORT = "visit_report"
    FINDING = "finding"


def _moment(*, nullable: bool = False) -> Column[datetime]:
    return Column(DateTime(timezone=True), nullable=nullable)


def _document() -> Column[Any]:
    return Column(JSONB, nullable=False)


class MeansCheck(SQLModel, table=True):
    """The check of one household's means (家庭经济状况核对); one per case."""

    __tablename__ = "means_checks"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (Index("means_checks_jurisdiction", "jurisdiction"), {"schema": SCHEMA})

    means_check_id: UUID = Field(primary_key=True)
    case_id: UUID = Field(unique=True)
    jurisdiction: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    sources: list[str] = Field(sa_column=_document())
    child_sources: list[str] = Field(sa_column=_document())
    """Those at which a child has to be asked about too."""
    reports_count: int = 0
    opened_at: datetime = Field(sa_column=_moment())
    started_at: datetime | None = Field(default=None, sa_column=_moment(nullable=True))
    completed_at: datetime | None = Field(default=None, sa_column=_moment(nullable=True))


class Member(SQLModel, table=True):
    """A member of a household being checked."""

    __tablename__ = "members"  # pyright: ignore[reportAssignmentType]
    __table_args__ = {"schema": SCHEMA}

    case_id: UUID = Field(primary_key=True)
    person_id: UUID = Field(primary_key=True)
    jurisdiction: str = Field(sa_type=Text)
    is_adult: bool


class Authorisation(SQLModel, table=True):
    """That a person lets sources be asked. May come before the case is known here."""

    __tablename__ = "authorisations"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (Index("authorisations_case", "case_id"), {"schema": SCHEMA})

    authorisation_id: UUID = Field(primary_key=True)
    case_id: UUID
    person_id: UUID
    jurisdiction: str = Field(sa_type=Text)
    number: str = Field(sa_type=Text)
    scope: list[str] = Field(sa_column=_document())
    signed_at: datetime = Field(sa_column=_moment())
    revoked_at: datetime | None = Field(default=None, sa_column=_moment(nullable=True))


class Query(SQLModel, table=True):
    """One question to one source about one person. `ask_from` is machine time, all other moments are legal."""

    __tablename__ = "queries"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        # One question stands per person and source, whatever comes twice or at the same moment.
        Index("queries_one_standing", "means_check_id", "person_id", "source", unique=True,
              postgresql_where="state not in ('cancelled', 'superseded')"),
        Index("queries_to_ask", "ask_from", postgresql_where="state in ('due', 'asking')"),
        Index("queries_to_ask_again", "ask_again_at", postgresql_where="state in ('asked', 'waiting')"),
        Index("queries_waiting", "source", postgresql_where=(
            "waiting_since is not null and state in ('due', 'asking', 'asked', 'waiting')")),
        Index("queries_case", "case_id"),
        CheckConstraint("state not in ('asked', 'waiting') or ask_again_at is not null",
                        name="queries_wait_ends_check"),
        CheckConstraint("(state = 'answered') = (kind is not null) or state = 'superseded'",
                        name="queries_kind_check"),
        ForeignKeyConstraint(["means_check_id"], ["verification.means_checks.means_check_id"],
                             name="queries_means_check_fkey"),
        ForeignKeyConstraint(["authorisation_id"], ["verification.authorisations.authorisation_id"],
                             name="queries_authorisation_fkey"),
        {"schema": SCHEMA},
    )

    query_id: UUID = Field(primary_key=True)
    means_check_id: UUID
    case_id: UUID
    person_id: UUID
    source: str = Field(sa_type=Text)
    jurisdiction: str = Field(sa_type=Text)
    authorisation_id: UUID
    state: str = Field(sa_type=Text)
    kind: str | None = Field(default=None, sa_type=Text)
    reason: str | None = Field(default=None, sa_type=Text)
    as_of: datetime | None = Field(default=None, sa_column=_moment(nullable=True))
    attempts_count: int = 0
    ask_from: datetime = Field(
        sa_column=Column(DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()"))
    )
    """Machine time: when due, not before this; when asking, the end of the lease."""
    waiting_since: datetime | None = Field(default=None, sa_column=_moment(nullable=True))
    """Since its source failed for the first time, or promised to answer later."""
    ask_again_at: datetime | None = Field(default=None, sa_column=_moment(nullable=True))
    tries_count: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    """How often a wait was recorded for it."""
    asked_at: datetime | None = Field(default=None, sa_column=_moment(nullable=True))
    answered_at: datetime | None = Field(default=None, sa_column=_moment(nullable=True))


class Visit(SQLModel, table=True):
    """A visit to a household (入户调查). `jurisdiction` is the place whose officers go."""

    __tablename__ = "visits"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("visits_case", "case_id"),
        Index("visits_jurisdiction", "jurisdiction"),
        CheckConstraint("(state = 'reported') = (report_sha256 is not null)", name="visits_report_check"),
        {"schema": SCHEMA},
    )

    visit_id: UUID = Field(primary_key=True)
    case_id: UUID
    item_id: UUID
    jurisdiction: str = Field(sa_type=Text)
    area: str = Field(sa_type=Text)
    findings_wanted: list[str] = Field(sa_column=_document())
    state: str = Field(sa_type=Text)
    ordered_at: datetime = Field(sa_column=_moment())
    visited_on: date | None = None
    reported_at: datetime | None = Field(default=None, sa_column=_moment(nullable=True))
    report_sha256: str | None = Field(default=None, sa_type=Text)


class Verification(SQLModel, table=True):
    """The evidence about one item. `jurisdiction` is its deciding owner."""

    __tablename__ = "verifications"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("verifications_case", "case_id"),
        CheckConstraint("revision >= 0", name="verifications_revision_check"),
        ForeignKeyConstraint(["visit_id"], ["verification.visits.visit_id"], name="verifications_visit_fkey"),
        {"schema": SCHEMA},
    )

    verification_id: UUID = Field(primary_key=True)
    case_id: UUID
    item_id: UUID = Field(unique=True)
    jurisdiction: str = Field(sa_type=Text)
    epoch: int
    benefit: str = Field(sa_type=Text)
    needs_means_check: bool
    visit_id: UUID | None = None
    state: str = Field(sa_type=Text)
    revision: int = 0


class Evidence(SQLModel, table=True):
    """One piece of evidence: who signed it, when, and its digest. Append-only."""

    __tablename__ = "evidence"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (Index("evidence_case", "case_id"), {"schema": SCHEMA})

    evidence_id: UUID = Field(primary_key=True)
    case_id: UUID
    item_id: UUID | None = None
    """None: it is about the household, and so counts for every item of the case."""
    jurisdiction: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    signer: str = Field(sa_type=Text)
    recorded_at: datetime = Field(sa_column=_moment())
    sha256: str = Field(sa_type=Text)
    content: dict[str, Any] = Field(sa_column=_document())
    facts: list[dict[str, Any]] = Field(sa_column=_document())
