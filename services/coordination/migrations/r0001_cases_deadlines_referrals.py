"""Cases and items as followed, timeline, tasks, deadlines and wakes, referrals, pending signals."""

from __future__ import annotations

from alembic import op

from services.runtime.migrations import row_level_security, runtime_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "coordination"
SEEN_BY_PLACE = ("cases", "items", "timeline", "tasks", "deadlines", "referrals")

CASES = (
    """create table coordination.cases (
        case_id uuid primary key,
        jurisdiction text not null,
        benefits_asked text[] not null default '{}',
        submitted_at timestamptz,
        visited_at timestamptz,
        concluded_at timestamptz,
        results jsonb
    )""",
    "create index cases_jurisdiction on coordination.cases (jurisdiction)",
    """create table coordination.items (
        item_id uuid primary key,
        case_id uuid not null,
        jurisdiction text not null,
        owner text,
        epoch integer,
        benefit text,
        accepted_at timestamptz,
        at_once boolean,
        applicant_person_id uuid,
        has_electricity_account boolean,
        supplement_requested_at timestamptz,
        not_accepted_at timestamptz,
        withdrawn_at timestamptz,
        investigating_at timestamptz,
        proposed_at timestamptz,
        decision_id uuid,
        proposed_outcome text,
        notice_decision_id uuid,
        notice_ends_at timestamptz,
        notice_ended_decision_id uuid,
        notice_ended_at timestamptz,
        confirmed_at timestamptz,
        outcome text,
        amount_fen bigint,
        small_sum boolean,
        paid_at timestamptz,
        referrals_offered_at timestamptz
    )""",
    "create index items_case on coordination.items (case_id)",
    "create index items_jurisdiction on coordination.items (jurisdiction)",
    """create table coordination.timeline (
        event_id uuid primary key,
        case_id uuid not null,
        item_id uuid,
        type text not null,
        legal_time timestamptz not null,
        jurisdiction text not null
    )""",
    "create index timeline_case on coordination.timeline (case_id)",
    """create table coordination.tasks (
        task_id uuid primary key,
        kind text not null,
        case_id uuid not null,
        item_id uuid not null,
        jurisdiction text not null,
        reference_id uuid not null,
        opens_on date,
        wanted text[] not null default '{}',
        created_at timestamptz not null,
        closed_at timestamptz
    )""",
    "create unique index tasks_once on coordination.tasks (kind, item_id, reference_id)",
    "create index tasks_open on coordination.tasks (jurisdiction) where closed_at is null",
    "create index tasks_case on coordination.tasks (case_id)",
)

WAITS = (
    """create table coordination.deadlines (
        deadline_id uuid primary key,
        workflow_id text not null,
        kind text not null,
        reference text not null,
        case_id uuid,
        item_id uuid,
        jurisdiction text not null,
        owner text,
        epoch integer,
        starts_at timestamptz not null,
        due_at timestamptz not null,
        provisional boolean not null,
        waits_on text not null,
        state text not null constraint deadlines_state_check check (state in ('open', 'met', 'passed')),
        met_at timestamptz,
        told_leap bigint not null,
        workflow_gone_at timestamptz
    )""",
    "create unique index deadlines_once on coordination.deadlines (workflow_id, kind, reference)",
    "create index deadlines_case on coordination.deadlines (case_id)",
    "create index deadlines_item_open on coordination.deadlines (item_id) where met_at is null",
    """create table coordination.wakes (
        deadline_id uuid not null constraint wakes_deadline_fkey references coordination.deadlines (deadline_id),
        elapsed_percent integer not null,
        wake_at timestamptz not null,
        woken_at timestamptz,
        primary key (deadline_id, elapsed_percent)
    )""",
    "create index wakes_next on coordination.wakes (wake_at) where woken_at is null",
    """create table coordination.referrals (
        item_id uuid primary key,
        case_id uuid not null,
        because_item_id uuid not null,
        jurisdiction text not null,
        department text not null,
        benefit text not null,
        from_month date not null,
        answer_by timestamptz not null,
        offered_at timestamptz not null,
        received_at timestamptz,
        answer text,
        answered_at timestamptz,
        amount_fen_month bigint,
        granted_from_month date,
        reason text
    )""",
    "create unique index referrals_once on coordination.referrals (because_item_id, benefit)",
    "create index referrals_case on coordination.referrals (case_id)",
    "create index referrals_jurisdiction on coordination.referrals (jurisdiction)",
    """create table coordination.payment_runs (
        place text primary key,
        asked_at timestamptz not null
    )""",
    """create table coordination.pending_signals (
        id bigint generated always as identity primary key,
        case_id uuid,
        workflow_id text not null,
        kind text not null,
        name text not null,
        message jsonb not null,
        created_at timestamptz not null default clock_timestamp(),
        sent_at timestamptz,
        delivery text
    )""",
    "create index pending_signals_unsent on coordination.pending_signals (id) where sent_at is null",
    "create index pending_signals_sent on coordination.pending_signals (sent_at)",
)


def upgrade() -> None:
    for statement in (*CASES, *WAITS):
        op.execute(statement)
    for table in SEEN_BY_PLACE:
        row_level_security(op, SCHEMA, table)
    runtime_tables(op, SCHEMA)
