"""A joined application takes over when the one it joined is withdrawn: what it would have said, and that it did."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table intake.joined_items add column acceptance jsonb, add column took_over_at timestamptz")
    # It joins another item from then on; that it was handed in is never removed.
    op.execute("drop trigger append_only on intake.joined_items")
    op.execute("create trigger never_removed before delete or truncate on intake.joined_items "
               "for each statement execute function intake.refuse_change()")
    op.execute("grant update on intake.joined_items to intake")
