"""Persons, cases, households, applications, items, authorisations, the vault and the records of reading."""

from __future__ import annotations

from alembic import op

from services.runtime.migrations import append_only, row_level_security, runtime_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

CASES = (
    """create table intake.persons (
        person_id uuid primary key,
        blind_index bytea not null constraint persons_blind_index_key unique
    )""",
    """create table intake.cases (
        case_id uuid primary key,
        jurisdiction text not null,
        household_id uuid not null,
        applicant_person_id uuid not null,
        submitted_by text not null,
        submitted_at timestamptz not null
    )""",
    "create index cases_jurisdiction on intake.cases (jurisdiction)",
    """create table intake.households (
        household_id uuid primary key,
        case_id uuid not null,
        jurisdiction text not null,
        standard text not null,
        living_area text not null,
        registered_area text not null
    )""",
    "create index households_case on intake.households (case_id)",
    """create table intake.members (
        household_id uuid not null,
        person_id uuid not null,
        case_id uuid not null,
        jurisdiction text not null,
        relation text not null,
        sex text not null,
        is_adult boolean not null,
        registered_area text not null,
        primary key (household_id, person_id)
    )""",
    "create index members_case on intake.members (case_id)",
    """create table intake.applications (
        application_id uuid primary key,
        case_id uuid not null,
        jurisdiction text not null,
        applicant_person_id uuid not null,
        submitted_by text not null,
        submitted_by_role text not null,
        submitted_in text not null,
        submitted_at timestamptz not null,
        channel text not null,
        on_behalf boolean not null,
        benefits jsonb not null,
        declared_facts jsonb not null,
        supporters jsonb not null,
        event_cause text,
        event_on date,
        event_in text
    )""",
    "create index applications_case on intake.applications (case_id)",
    """create table intake.idempotency_keys (
        subject text not null,
        key text not null,
        fingerprint bytea not null,
        receipt text not null,
        recorded_at timestamptz not null,
        primary key (subject, key)
    )""",
)

ITEMS = (
    """create table intake.items (
        item_id uuid primary key,
        case_id uuid not null,
        application_id uuid not null,
        jurisdiction text not null,
        epoch integer not null constraint items_epoch_check check (epoch >= 1),
        applicant_person_id uuid not null,
        benefit text not null,
        status text not null,
        missing jsonb not null,
        accepted_at timestamptz,
        ended_at timestamptz,
        constraint items_accepted_check check ((status = 'accepted') = (accepted_at is not null))
    )""",
    "create index items_case on intake.items (case_id)",
    "create index items_jurisdiction on intake.items (jurisdiction)",
    "create unique index items_one_open on intake.items (applicant_person_id, benefit) where ended_at is null",
    """create table intake.joined_items (
        item_id uuid primary key,
        joins_item_id uuid not null,
        case_id uuid not null,
        application_id uuid not null,
        jurisdiction text not null,
        benefit text not null,
        status text not null,
        missing jsonb not null,
        joined_at timestamptz not null
    )""",
    "create index joined_items_case on intake.joined_items (case_id)",
    "create index joined_items_joins on intake.joined_items (joins_item_id)",
    "create sequence intake.letter_serial",
    """create table intake.authorisations (
        authorisation_id uuid primary key,
        number text not null constraint authorisations_number_key unique,
        case_id uuid not null,
        person_id uuid not null,
        jurisdiction text not null,
        method text not null,
        scope jsonb not null,
        signed_at timestamptz not null,
        signed_before text not null,
        letter_sha256 text not null,
        constraint authorisations_case_person_key unique (case_id, person_id)
    )""",
)

VAULT = (
    """create table intake.vault_entries (
        entry_number bigint generated always as identity primary key,
        case_id uuid not null,
        person_id uuid not null,
        jurisdiction text not null,
        field text not null,
        key_id text not null,
        ciphertext bytea not null
    )""",
    "create index vault_entries_person on intake.vault_entries (case_id, person_id)",
    """create table intake.vault_accesses (
        access_number bigint generated always as identity primary key,
        accessed_at timestamptz not null,
        caller text not null,
        purpose text not null,
        recipient text not null,
        case_id uuid not null,
        person_id uuid not null,
        jurisdiction text not null,
        fields text not null
    )""",
    "create index vault_accesses_person on intake.vault_accesses (person_id)",
    """create table intake.access_records (
        access_number bigint generated always as identity primary key,
        read_at timestamptz not null,
        subject text not null,
        role text not null,
        purpose text,
        case_id uuid not null,
        jurisdiction text not null
    )""",
    "create index access_records_case on intake.access_records (case_id)",
)

BY_JURISDICTION = ("cases", "households", "members", "applications", "items", "joined_items", "authorisations",
                   "vault_entries", "vault_accesses", "access_records")
EVIDENCE = ("applications", "joined_items", "authorisations", "vault_entries", "vault_accesses", "access_records",
            "idempotency_keys")


def upgrade() -> None:
    """Create everything intake owns."""
    runtime_tables(op, "intake")
    for statement in (*CASES, *ITEMS, *VAULT):
        op.execute(statement)
    for table in BY_JURISDICTION:
        row_level_security(op, "intake", table)
    for table in EVIDENCE:
        append_only(op, "intake", table)
