"""Payments that wait on the bank say since when, why, and when they are tried again."""

from __future__ import annotations

from alembic import op

from services.runtime.migrations import row_level_security

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SCHEMA = "disbursement"
STATEMENTS = (
    """create table disbursement.bank_waits (
        party text primary key,
        reason text not null,
        since timestamptz not null,
        next_try_at timestamptz not null,
        tries_count integer not null
    )""",
    """create table disbursement.order_waits (
        payment_id uuid primary key,
        case_id uuid not null,
        jurisdiction text not null,
        reason text not null,
        since timestamptz not null,
        next_try_at timestamptz not null,
        tries_count integer not null
    )""",
    "create index order_waits_case on disbursement.order_waits (case_id)",
    "create index statement_lines_unexplained on disbursement.statement_lines (taken_at) where not matched",
)


def upgrade() -> None:
    """Create the tables of recorded waits."""
    for statement in STATEMENTS:
        op.execute(statement)
    row_level_security(op, SCHEMA, "order_waits")
