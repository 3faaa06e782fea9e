"""Tables of intake. `jurisdiction` is the deciding owner's area code; row level security goes by it.

No column but the vault's ciphertext holds a name, an identity number, a phone, an address or an account.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

SCHEMA = "intake"


def _moment(*, nullable: bool = False) -> Column[datetime]:
    return Column(DateTime(timezone=True), nullable=nullable)


def _document() -> Column[Any]:
    return Column(JSONB, nullable=False)


def _bytes() -> Column[bytes]:
    return Column(LargeBinary, nullable=False)


def _row_number() -> Column[int]:
    return Column(BigInteger, Identity(always=True), primary_key=True)


class PersonRow(SQLModel, table=True):
    """Someone we have met, recognised again by a keyed index of the identity number."""

    __tablename__ = "persons"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (UniqueConstraint("blind_index", name="persons_blind_index_key"), {"schema": SCHEMA})

    person_id: UUID = Field(primary_key=True)
    blind_index: bytes = Field(sa_column=_bytes())


class CaseRow(SQLModel, table=True):
    """A household's one-thing case (办件)."""

    __tablename__ = "cases"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (Index("cases_jurisdiction", "jurisdiction"), {"schema": SCHEMA})

    case_id: UUID = Field(primary_key=True)
    jurisdiction: str = Field(sa_type=Text)
    household_id: UUID
    applicant_person_id: UUID
    submitted_by: str = Field(sa_type=Text)
    """Subject of the token: who may follow the case besides officers."""
    submitted_at: datetime = Field(sa_column=_moment())


class HouseholdRow(SQLModel, table=True):
    """Who lives together (共同生活家庭成员), as the form tells it."""

    __tablename__ = "households"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (Index("households_case", "case_id"), {"schema": SCHEMA})

    household_id: UUID = Field(primary_key=True)
    case_id: UUID
    jurisdiction: str = Field(sa_type=Text)
    standard: str = Field(sa_type=Text)
    living_area: str = Field(sa_type=Text)
    registered_area: str = Field(sa_type=Text)


class MemberRow(SQLModel, table=True):
    """A person as a member of a household."""

    __tablename__ = "members"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (Index("members_case", "case_id"), {"schema": SCHEMA})

    household_id: UUID = Field(primary_key=True)
    person_id: UUID = Field(primary_key=True)
    case_id: UUID
    jurisdiction: str = Field(sa_type=Text)
    relation: str = Field(sa_type=Text)
    sex: str = Field(sa_type=Text)
    is_adult: bool
    registered_area: str = Field(sa_type=Text)


class ApplicationRow(SQLModel, table=True):
    """The form as it was handed in, without identifiers. Append-only."""

    __tablename__ = "applications"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (Index("applications_case", "case_id"), {"schema": SCHEMA})

    application_id: UUID = Field(primary_key=True)
    case_id: UUID
    jurisdiction: str = Field(sa_type=Text)
    applicant_person_id: UUID
    submitted_by: str = Field(sa_type=Text)
    submitted_by_role: str = Field(sa_type=Text)
    submitted_in: str = Field(sa_type=Text)
    submitted_at: datetime = Field(sa_column=_moment())
    channel: str = Field(sa_type=Text)
    on_behalf: bool
    benefits: list[str] = Field(sa_column=_document())
    declared_facts: list[dict[str, Any]] = Field(sa_column=_document())
    supporters: list[dict[str, Any]] = Field(sa_column=_document())
    event_cause: str | None = Field(default=None, sa_type=Text)
    event_on: date | None = None
    event_in: str | None = Field(default=None, sa_type=Text)


class ItemRow(SQLModel, table=True):
    """One benefit asked of the one body that decides it (事项)."""

    __tablename__ = "items"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("items_case", "case_id"),
        Index("items_jurisdiction", "jurisdiction"),
        # One open item per person and benefit, whatever is sent twice or at the same moment.
        Index("items_one_open", "applicant_person_id", "benefit", unique=True, postgresql_where="ended_at is null"),
        CheckConstraint("epoch >= 1", name="items_epoch_check"),
        CheckConstraint("(status = 'accepted') = (accepted_at is not null)", name="items_accepted_check"),
        {"schema": SCHEMA},
    )

    item_id: UUID = Field(primary_key=True)
    case_id: UUID
    application_id: UUID
    jurisdiction: str = Field(sa_type=Text)
    """The deciding owner."""
    epoch: int
    applicant_person_id: UUID
    benefit: str = Field(sa_type=Text)
    status: str = Field(sa_type=Text)
    missing: list[str] = Field(sa_column=_document())
    accepted_at: datetime | None = Field(default=None, sa_column=_moment(nullable=True))
    ended_at: datetime | None = Field(default=None, sa_column=_moment(nullable=True))
    """Decided, withdrawn, or never accepted: from then on the person may ask for this benefit again."""


class JoinedItemRow(SQLModel, table=True):
    """An item asked for again by someone who may not know of the first: one item in truth.

    To the one who asked it looks like any other; it starts nothing and nothing is published, unless the first is
    withdrawn: then the oldest complete one takes over, and the others join that. Never removed.
    """

    __tablename__ = "joined_items"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("joined_items_case", "case_id"),
        Index("joined_items_joins", "joins_item_id"),
        {"schema": SCHEMA},
    )

    item_id: UUID = Field(primary_key=True)
    joins_item_id: UUID
    case_id: UUID
    application_id: UUID
    jurisdiction: str = Field(sa_type=Text)
    benefit: str = Field(sa_type=Text)
    status: str = Field(sa_type=Text)
    missing: list[str] = Field(sa_column=_document())
    joined_at: datetime = Field(sa_column=_moment())
    acceptance: dict[str, Any] | None = Field(default=None, sa_column=Column(JSONB))
    """What `item.accepted` would have said had it been the first; none where it was incomplete."""
    took_over_at: datetime | None = Field(default=None, sa_column=_moment(nullable=True))
    """Since then it is an item itself."""


class WithdrawalRow(SQLModel, table=True):
    """The household took an item back, its own or one that joined another's. Append-only."""

    __tablename__ = "withdrawals"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (Index("withdrawals_case", "case_id"), {"schema": SCHEMA})

    item_id: UUID = Field(primary_key=True)
    case_id: UUID
    jurisdiction: str = Field(sa_type=Text)
    withdrawn_at: datetime = Field(sa_column=_moment())
    withdrawn_by: str = Field(sa_type=Text)
    """Subject of the token."""
    withdrawn_by_role: str = Field(sa_type=Text)


class AuthorisationRow(SQLModel, table=True):
    """A person's letter of authorisation (授权书). Append-only; another in the same case names more sources."""

    __tablename__ = "authorisations"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (
        Index("authorisations_person", "case_id", "person_id"),
        UniqueConstraint("number", name="authorisations_number_key"),
        {"schema": SCHEMA},
    )

    authorisation_id: UUID = Field(primary_key=True)
    number: str = Field(sa_type=Text)
    case_id: UUID
    person_id: UUID
    jurisdiction: str = Field(sa_type=Text)
    method: str = Field(sa_type=Text)
    scope: list[str] = Field(sa_column=_document())
    signed_at: datetime = Field(sa_column=_moment())
    signed_before: str = Field(sa_type=Text)
    """Subject of the token with which it was handed in."""
    letter_sha256: str = Field(sa_type=Text)


class VaultEntryRow(SQLModel, table=True):
    """One field of one person in one case, encrypted. Append-only; the newest entry stands."""

    __tablename__ = "vault_entries"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (Index("vault_entries_person", "case_id", "person_id"), {"schema": SCHEMA})

    entry_number: int | None = Field(default=None, sa_column=_row_number())
    case_id: UUID
    person_id: UUID
    jurisdiction: str = Field(sa_type=Text)
    field: str = Field(sa_type=Text)
    key_id: str = Field(sa_type=Text)
    ciphertext: bytes = Field(sa_column=_bytes())


class VaultAccessRow(SQLModel, table=True):
    """Fields of a person left the vault, sealed: by whom, what for, to whom. Append-only."""

    __tablename__ = "vault_accesses"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (Index("vault_accesses_person", "person_id"), {"schema": SCHEMA})

    access_number: int | None = Field(default=None, sa_column=_row_number())
    accessed_at: datetime = Field(sa_column=_moment())
    caller: str = Field(sa_type=Text)
    purpose: str = Field(sa_type=Text)
    recipient: str = Field(sa_type=Text)
    case_id: UUID
    person_id: UUID
    jurisdiction: str = Field(sa_type=Text)
    fields: str = Field(sa_type=Text)
    """Names of the fields, by comma."""


class AccessRecordRow(SQLModel, table=True):
    """Someone in office read what a household told us. Append-only."""

    __tablename__ = "access_records"  # pyright: ignore[reportAssignmentType]
    __table_args__ = (Index("access_records_case", "case_id"), {"schema": SCHEMA})

    access_number: int | None = Field(default=None, sa_column=_row_number())
    read_at: datetime = Field(sa_column=_moment())
    subject: str = Field(sa_type=Text)
    role: str = Field(sa_type=Text)
    purpose: str | None = Field(default=None, sa_type=Text)
    case_id: UUID
    jurisdiction: str = Field(sa_type=Text)


class IdempotencyKeyRow(SQLModel, table=True):
    """What was answered to a request, so that sending it again gets the very same. Append-only."""

    __tablename__ = "idempotency_keys"  # pyright: ignore[reportAssignmentType]
    __table_args__ = ({"schema": SCHEMA},)

    subject: str = Field(sa_type=Text, primary_key=True)
    key: str = Field(sa_type=Text, primary_key=True)
    fingerprint: bytes = Field(sa_column=_bytes())
    """Keyed hash of the request body."""
    receipt: str = Field(sa_type=Text)
    recorded_at: datetime = Field(sa_column=_moment())
