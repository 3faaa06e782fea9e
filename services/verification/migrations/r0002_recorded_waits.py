"""What waits on a source says since when, and when it is asked again."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STATEMENTS = (
    "alter table verification.queries add column waiting_since timestamptz",
    "alter table verification.queries add column ask_again_at timestamptz",
    "alter table verification.queries add column tries_count integer not null default 0",
    # Who promised an answer before there were recorded waits is asked again an hour after it was asked.
    """update verification.queries
        set waiting_since = asked_at, ask_again_at = asked_at + interval '1 hour', tries_count = 1
        where state = 'asked'""",
    """alter table verification.queries add constraint queries_wait_ends_check
        check (state not in ('asked', 'waiting') or ask_again_at is not null)""",
    """create index queries_to_ask_again on verification.queries (ask_again_at)
        where state in ('asked', 'waiting')""",
    """create index queries_waiting on verification.queries (source)
        where waiting_since is not null and state in ('due', 'asking', 'asked', 'waiting')""",
)


def upgrade() -> None:
    """Add the columns of a recorded wait."""
    for statement in STATEMENTS:
        op.execute(statement)
