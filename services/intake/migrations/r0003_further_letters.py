"""Further letters of authorisation of one person in one case: a first one may have named too few sources."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table intake.authorisations drop constraint authorisations_case_person_key")
    op.execute("create index authorisations_person on intake.authorisations (case_id, person_id)")
