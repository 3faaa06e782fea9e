"""At which sources a child has to be asked about: a check waits for a guardian's letter too."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A check that was opened before waits for the adults only, as it was told.
    op.execute("alter table verification.means_checks add column child_sources jsonb not null default '[]'")
