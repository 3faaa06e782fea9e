"""Means checks, questions to sources, visits, the file of evidence."""

from __future__ import annotations

from alembic import op

from services.runtime.migrations import append_only, row_level_security, runtime_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "verification"
TABLES = ("means_checks", "members", "authorisations", "queries", "visits", "verifications", "evidence")

CREATE = (
    """create table verification.means_checks (
        means_check_id uuid primary key,
        case_id uuid not null unique,
        jurisdiction text not null,
        state text not null,
        sources jsonb not null,
        reports_count integer not null,
        opened_at timestamptz not null,
        started_at timestamptz,
        completed_at timestamptz
    )""",
    "create index means_checks_jurisdiction on verification.means_checks (jurisdiction)",
    """create table verification.members (
        case_id uuid not null,
        person_id uuid not null,
        jurisdiction text not null,
        is_adult boolean not null,
        primary key (case_id, person_id)
    )""",
    """create table verification.authorisations (
        authorisation_id uuid primary key,
        case_id uuid not null,
        person_id uuid not null,
        jurisdiction text not null,
        number text not null,
        scope jsonb not null,
        signed_at timestamptz not null,
        revoked_at timestamptz
    )""",
    "create index authorisations_case on verification.authorisations (case_id)",
    """create table verification.queries (
        query_id uuid primary key,
        means_check_id uuid not null,
        case_id uuid not null,
        person_id uuid not null,
        source text not null,
        jurisdiction text not null,
        authorisation_id uuid not null,
        state text not null,
        kind text,
        reason text,
        as_of timestamptz,
        attempts_count integer not null,
        ask_from timestamptz not null default clock_timestamp(),
        asked_at timestamptz,
        answered_at timestamptz,
        constraint queries_kind_check check ((state = 'answered') = (kind is not null) or state = 'superseded'),
        constraint queries_means_check_fkey
            foreign key (means_check_id) references verification.means_checks (means_check_id),
        constraint queries_authorisation_fkey
            foreign key (authorisation_id) references verification.authorisations (authorisation_id)
    )""",
    """create unique index queries_one_standing on verification.queries (means_check_id, person_id, source)
        where state not in ('cancelled', 'superseded')""",
    "create index queries_to_ask on verification.queries (ask_from) where state in ('due', 'asking')",
    "create index queries_case on verification.queries (case_id)",
    """create table verification.visits (
        visit_id uuid primary key,
        case_id uuid not null,
        item_id uuid not null,
        jurisdiction text not null,
        area text not null,
        findings_wanted jsonb not null,
        state text not null,
        ordered_at timestamptz not null,
        visited_on date,
        reported_at timestamptz,
        report_sha256 text,
        constraint visits_report_check check ((state = 'reported') = (report_sha256 is not null))
    )""",
    "create index visits_case on verification.visits (case_id)",
    "create index visits_jurisdiction on verification.visits (jurisdiction)",
    """create table verification.verifications (
        verification_id uuid primary key,
        case_id uuid not null,
        item_id uuid not null unique,
        jurisdiction text not null,
        epoch integer not null,
        benefit text not null,
        needs_means_check boolean not null,
        visit_id uuid,
        state text not null,
        revision integer not null,
        constraint verifications_revision_check check (revision >= 0),
        constraint verifications_visit_fkey foreign key (visit_id) references verification.visits (visit_id)
    )""",
    "create index verifications_case on verification.verifications (case_id)",
    """create table verification.evidence (
        evidence_id uuid primary key,
        case_id uuid not null,
        item_id uuid,
        jurisdiction text not null,
        kind text not null,
        signer text not null,
        recorded_at timestamptz not null,
        sha256 text not null,
        content jsonb not null,
        facts jsonb not null
    )""",
    "create index evidence_case on verification.evidence (case_id)",
)


def upgrade() -> None:
    """Create the schema's tables, policies and rights."""
    runtime_tables(op, SCHEMA)
    for statement in CREATE:
        op.execute(statement)
    for table in TABLES:
        row_level_security(op, SCHEMA, table)
    append_only(op, SCHEMA, "evidence")
