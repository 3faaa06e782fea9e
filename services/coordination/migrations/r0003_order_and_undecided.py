"""Which of two words of one moment came later; and the small sums at once that nobody has decided yet."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table coordination.items add column proposed_event_id uuid, "
               "add column evidence_missing_event_id uuid")
    op.execute("create index items_undecided_at_once on coordination.items (accepted_at) "
               "where at_once and confirmed_at is null and withdrawn_at is null")
