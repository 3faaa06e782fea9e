"""Transfers must add up to nothing within their statement: looked at once per statement, not once per posting."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Replace the trigger. A transfer is posted in one statement, so nothing has to wait for the commit."""
    op.execute("drop trigger balanced on disbursement.postings")
    op.execute("""create or replace function disbursement.refuse_unbalanced() returns trigger language plpgsql as $$
    declare
        unbalanced uuid;
    begin
        select transfer_id into unbalanced from added group by transfer_id having sum(amount_fen) <> 0 limit 1;
        if found then
            raise exception 'transfer % does not add up to nothing', unbalanced using errcode = 'check_violation';
        end if;
        return null;
    end $$""")
    op.execute("""create trigger balanced after insert on disbursement.postings
        referencing new table as added for each statement execute function disbursement.refuse_unbalanced()""")
