"""Withdrawals of items."""

from __future__ import annotations

from alembic import op

from services.runtime.migrations import append_only, row_level_security

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("""create table intake.withdrawals (
        item_id uuid primary key,
        case_id uuid not null,
        jurisdiction text not null,
        withdrawn_at timestamptz not null,
        withdrawn_by text not null,
        withdrawn_by_role text not null
    )""")
    op.execute("create index withdrawals_case on intake.withdrawals (case_id)")
    row_level_security(op, "intake", "withdrawals")
    append_only(op, "intake", "withdrawals")
