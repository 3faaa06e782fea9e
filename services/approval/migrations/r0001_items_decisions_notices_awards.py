"""Items, evidence, decisions, public notices and awards."""

from __future__ import annotations

from alembic import op

from services.runtime.migrations import append_only, row_level_security, runtime_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    """create table approval.items (
        item_id uuid primary key,
        case_id uuid not null,
        jurisdiction text not null,
        epoch integer not null constraint items_epoch_check check (epoch >= 1),
        benefit text not null,
        household_id uuid not null,
        applicant_person_id uuid not null,
        applicant_masked_name text not null,
        applicant_is_adult boolean not null,
        household_size integer not null constraint items_household_size_check check (household_size >= 1),
        members jsonb not null,
        standard text not null,
        living_area text not null,
        near_relative_of_officer boolean not null,
        accepted_at timestamptz not null,
        state text not null,
        evidence_revision integer not null,
        waits_on text,
        missing jsonb not null
    )""",
    "create index items_case on approval.items (case_id)",
    "create index items_jurisdiction on approval.items (jurisdiction)",
    """create table approval.evidence (
        verification_id uuid not null,
        revision integer not null,
        item_id uuid not null,
        case_id uuid not null,
        jurisdiction text not null,
        visited_on date,
        effect text not null,
        recorded_at timestamptz not null,
        primary key (verification_id, revision)
    )""",
    "create index evidence_item on approval.evidence (item_id)",
    """create table approval.decisions (
        decision_id uuid primary key,
        item_id uuid not null,
        case_id uuid not null,
        jurisdiction text not null,
        epoch integer not null,
        benefit text not null,
        outcome text not null,
        state text not null,
        amount_fen bigint constraint decisions_amount_fen_check check (amount_fen > 0),
        period text,
        level text not null,
        explanation jsonb not null,
        rulebook_version text not null,
        rule_date date not null,
        proposed_at timestamptz not null,
        confirmable_from date not null,
        confirmed_at timestamptz,
        confirmed_by text,
        first_month date,
        small_sum boolean not null,
        cause text,
        constraint decisions_grant_check
            check ((outcome = 'grant') = (amount_fen is not null and period is not null)),
        constraint decisions_confirmed_check
            check ((state = 'confirmed') = (confirmed_at is not null and confirmed_by is not null))
    )""",
    "create index decisions_case on approval.decisions (case_id)",
    """create unique index decisions_one_standing on approval.decisions (item_id)
        where state in ('proposed', 'confirmed')""",
    """create table approval.notices (
        notice_id uuid primary key,
        decision_id uuid not null unique
            constraint notices_decision_fkey references approval.decisions (decision_id),
        item_id uuid not null,
        case_id uuid not null,
        jurisdiction text not null,
        masked_name text not null,
        household_size integer not null,
        amount_fen bigint not null constraint notices_amount_fen_check check (amount_fen > 0),
        opened_on date not null,
        ends_on date not null,
        ends_at timestamptz not null,
        areas jsonb not null,
        state text not null,
        constraint notices_days_check check (ends_on > opened_on)
    )""",
    "create index notices_ends_on on approval.notices (ends_on)",
    "create index notices_case on approval.notices (case_id)",
    """create table approval.awards (
        award_id uuid primary key,
        decision_id uuid not null unique
            constraint awards_decision_fkey references approval.decisions (decision_id),
        item_id uuid not null,
        case_id uuid not null,
        jurisdiction text not null,
        benefit text not null,
        amount_fen bigint not null constraint awards_amount_fen_check check (amount_fen > 0),
        period text not null,
        first_month date not null,
        payee_person_id uuid not null,
        household_size integer not null,
        started_at timestamptz not null
    )""",
    "create index awards_case on approval.awards (case_id)",
)

CONFIRMED_STANDS = (
    """create function approval.refuse_change_of_confirmed() returns trigger language plpgsql as $$ begin
        raise exception 'decision % is confirmed and never changes', old.decision_id
            using errcode = 'restrict_violation';
    end $$""",
    """create trigger confirmed_stands before update or delete on approval.decisions
        for each row when (old.state = 'confirmed') execute function approval.refuse_change_of_confirmed()""",
)


def upgrade() -> None:
    """Create everything approval owns."""
    runtime_tables(op, "approval")
    for statement in (*TABLES, *CONFIRMED_STANDS):
        op.execute(statement)
    for table in ("items", "evidence", "decisions", "notices", "awards"):
        row_level_security(op, "approval", table)
    append_only(op, "approval", "evidence")
