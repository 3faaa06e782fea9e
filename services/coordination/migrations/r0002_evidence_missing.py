"""When the evidence of an item was found missing, after its proposal too."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table coordination.items add column evidence_missing_at timestamptz")
