"""Awards, payments, the ledger and the bank's statement lines."""

from __future__ import annotations

from alembic import op

from services.runtime.migrations import append_only, row_level_security, runtime_tables

revision = "0001"
down_revision = None

SCHEMA = "disbursement"

TABLES = (
    """create table disbursement.awards (
        award_id uuid primary key,
        case_id uuid not null,
        item_id uuid not null,
        jurisdiction text not null,
        epoch integer not null,
        place text not null,
        benefit text not null,
        amount_fen bigint not null constraint awards_amount_fen_check check (amount_fen > 0),
        period text not null,
        first_month date not null,
        last_month date,
        payee_person_id uuid not null
    )""",
    "create index awards_case on disbursement.awards (case_id)",
    "create index awards_standing on disbursement.awards (place, period, first_month)",
    """create table disbursement.payments (
        payment_id uuid primary key,
        award_id uuid not null,
        period date not null,
        case_id uuid not null,
        item_id uuid not null,
        jurisdiction text not null,
        epoch integer not null,
        place text not null,
        benefit text not null,
        amount_fen bigint not null constraint payments_amount_fen_check check (amount_fen > 0),
        payee_person_id uuid not null,
        state text not null,
        reason_code text,
        instructed_at timestamptz not null,
        accepted_at timestamptz,
        ended_at timestamptz,
        constraint payments_once_per_period unique (award_id, period)
    )""",
    "create index payments_case on disbursement.payments (case_id)",
    "create index payments_to_send on disbursement.payments (payment_id) where state = 'instructed'",
    """create table disbursement.postings (
        transfer_id uuid not null,
        account text not null,
        payment_id uuid not null,
        jurisdiction text not null,
        amount_fen bigint not null,
        posted_at timestamptz not null,
        primary key (transfer_id, account)
    )""",
    "create index postings_payment on disbursement.postings (payment_id)",
    "create index postings_account on disbursement.postings (account)",
    """create table disbursement.statement_lines (
        line_id uuid primary key,
        payment_id uuid not null,
        kind text not null,
        amount_fen bigint not null,
        booked_at timestamptz not null,
        reason_code text,
        matched boolean not null,
        taken_at timestamptz not null
    )""",
    "create index statement_lines_payment on disbursement.statement_lines (payment_id)",
)

def upgrade() -> None:
    """Create the schema's tables."""
    runtime_tables(op, SCHEMA)
    for statement in TABLES:
        op.execute(statement)
    for table in ("awards", "payments", "postings"):
        row_level_security(op, SCHEMA, table)
    for table in ("postings", "statement_lines"):
        append_only(op, SCHEMA, table)
    op.execute("""create function disbursement.refuse_unbalanced() returns trigger language plpgsql as $$ begin
        if (select sum(amount_fen) from disbursement.postings where transfer_id = new.transfer_id) <> 0 then
            raise exception 'transfer % does not add up to nothing', new.transfer_id
                using errcode = 'check_violation';
        end if;
        return null;
    end $$""")
    op.execute("""create constraint trigger balanced after insert on disbursement.postings
        deferrable initially deferred for each row execute function disbursement.refuse_unbalanced()""")
