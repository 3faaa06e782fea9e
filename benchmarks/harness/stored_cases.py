"""Fills the tables of all services with closed small emergencies, set by set: a million in about a minute.

Each stored case has the rows that the real one leaves when it is paid and settled, and its ids are older than any new
one (UUIDv7), as they would be. Why it is quick: one statement per table, keys that ascend, two connections, and no
write-ahead log, since each table is truncated in the transaction that fills it (`wal_level = minimal`).

Hazard: `session_replication_role = replica` switches off triggers and foreign keys; `tests/benchmarks` checks that
what is written would have passed them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg

from benchmarks.harness.forms import AMOUNT_FEN, TOWN

CONNECTIONS: Final = 2
STAGING: Final = f"""
    create schema fill;
    create unlogged table fill.stored as
    select n, '{TOWN[:6]}' || lpad((n % 25 + 1)::text, 3, '0') as town, gen_random_uuid() as person_id,
        timestamptz '2025-03-01 01:00Z' + n * interval '30 s' as at,
        uuidv7('-1 year') as case_id, uuidv7('-1 year') as item_id, uuidv7('-1 year') as household_id,
        uuidv7('-1 year') as application_id, uuidv7('-1 year') as decision_id, uuidv7('-1 year') as award_id,
        uuidv7('-1 year') as payment_id
    from generate_series(1, $1::bigint) as n;
"""
EVENT_TYPES: Final = ("application.submitted.v1", "item.accepted.v1", "decision.confirmed.v1", "award.started.v1",
                      "payment.instructed.v1", "payment.settled.v1")
"""Of a small emergency that was paid, as coordination follows them; the others take one of them each."""
FOLLOWED: Final = f"unnest(array{list(EVENT_TYPES)!r}) as type"
EXPLANATION: Final = "jsonb_build_object('lines', '[]'::jsonb, 'reasons', '[]'::jsonb, 'note', repeat('x', 600))"


@dataclass(frozen=True)
class Fill:
    """Rows of one table: columns, and what is selected for them from the staging table."""

    table: str
    columns: str
    values: str
    beside: str = ""
    """Joined to each stored case: several rows of it."""

    @property
    def sql(self) -> str:
        """The one statement."""
        more = f" cross join {self.beside}" if self.beside else ""
        return f"insert into {self.table} ({self.columns}) select {self.values} from fill.stored as s{more}"


INTAKE: Final = (
    Fill("intake.persons", "person_id, blind_index", "person_id, sha256(n::text::bytea)"),
    Fill("intake.cases", "case_id, jurisdiction, household_id, applicant_person_id, submitted_by, submitted_at",
         "case_id, town, household_id, person_id, 'officer:' || town || ':1', at"),
    Fill("intake.households", "household_id, case_id, jurisdiction, standard, living_area, registered_area",
         "household_id, case_id, town, 'rural', town, town"),
    Fill("intake.members",
         "household_id, person_id, case_id, jurisdiction, relation, sex, is_adult, registered_area",
         "household_id, person_id, case_id, town, 'applicant', 'female', true, town"),
    Fill("intake.applications",
         "application_id, case_id, jurisdiction, applicant_person_id, submitted_by, submitted_by_role, submitted_in, "
         "submitted_at, channel, on_behalf, benefits, declared_facts, supporters, event_cause, event_on, event_in",
         "application_id, case_id, town, person_id, 'officer:' || town || ':1', 'officer', town, at, 'officer', "
         "false, '[\"temporary_assistance\"]', '[]', '[]', 'fire', at::date, town"),
    Fill("intake.items",
         "item_id, case_id, application_id, jurisdiction, epoch, applicant_person_id, benefit, status, missing, "
         "accepted_at, ended_at",
         "item_id, case_id, application_id, town, 1, person_id, 'temporary_assistance', 'accepted', '[]', at, at"),
    Fill("intake.idempotency_keys", "subject, key, fingerprint, receipt, recorded_at",
         "'officer:' || town || ':1', 'stored-' || lpad(n::text, 9, '0'), sha256(n::text::bytea), repeat('x', 300), "
         "at"),
    Fill("intake.vault_entries", "case_id, person_id, jurisdiction, field, key_id, ciphertext",
         "case_id, person_id, town, field, 'stored', decode(repeat('5a', 46), 'hex')",
         "unnest(array['name', 'identity_number', 'bank_account', 'bank_name']) as field"),
    Fill("intake.vault_accesses",
         "accessed_at, caller, purpose, recipient, case_id, person_id, jurisdiction, fields",
         "at, 'disbursement', 'payment', 'bank', case_id, person_id, town, 'bank_account,name'"),
    Fill("intake.inbox", "event_id, handled_at", "uuidv7('-1 year'), at"),
)
APPROVAL: Final = (
    Fill("approval.items",
         "item_id, case_id, jurisdiction, epoch, benefit, household_id, applicant_person_id, applicant_masked_name, "
         "applicant_is_adult, household_size, members, standard, living_area, near_relative_of_officer, accepted_at, "
         "state, evidence_revision, missing",
         "item_id, case_id, town, 1, 'temporary_assistance', household_id, person_id, '陈**', true, 1, "
         "jsonb_build_array(jsonb_build_object('person_id', person_id, 'relation', 'applicant', 'is_adult', true)), "
         "'rural', town, false, at, 'confirmed', 0, '[]'"),
    Fill("approval.decisions",
         "decision_id, item_id, case_id, jurisdiction, epoch, benefit, outcome, state, amount_fen, period, level, "
         "explanation, rulebook_version, rule_date, proposed_at, confirmable_from, confirmed_at, confirmed_by, "
         "first_month, small_sum, cause",
         f"decision_id, item_id, case_id, town, 1, 'temporary_assistance', 'grant', 'confirmed', {AMOUNT_FEN}, 'once', "
         f"'town', {EXPLANATION}, 'stored', at::date, at, at::date, at, 'officer:' || town || ':1', "
         "date_trunc('month', at)::date, true, 'fire'"),
    Fill("approval.awards",
         "award_id, decision_id, item_id, case_id, jurisdiction, benefit, amount_fen, period, first_month, "
         "payee_person_id, household_size, started_at",
         f"award_id, decision_id, item_id, case_id, town, 'temporary_assistance', {AMOUNT_FEN}, 'once', "
         "date_trunc('month', at)::date, person_id, 1, at"),
)
DISBURSEMENT: Final = (
    Fill("disbursement.awards",
         "award_id, case_id, item_id, jurisdiction, epoch, place, benefit, amount_fen, period, first_month, "
         "payee_person_id",
         f"award_id, case_id, item_id, town, 1, left(town, 6), 'temporary_assistance', {AMOUNT_FEN}, 'once', "
         "date_trunc('month', at)::date, person_id"),
    Fill("disbursement.payments",
         "payment_id, award_id, period, case_id, item_id, jurisdiction, epoch, place, benefit, amount_fen, "
         "payee_person_id, state, instructed_at, accepted_at, ended_at",
         "payment_id, award_id, date_trunc('month', at)::date, case_id, item_id, town, 1, left(town, 6), "
         f"'temporary_assistance', {AMOUNT_FEN}, person_id, 'settled', at, at, at"),
    # Two transfers of two sides: money leaves the pool and is on its way, then it is paid.
    Fill("disbursement.postings", "transfer_id, account, payment_id, jurisdiction, amount_fen, posted_at",
         "transfer_id, account, payment_id, town, amount_fen, at",
         "lateral (select uuidv7('-1 year') as instructed, uuidv7('-1 year') as settled where n > 0) as t "
         "cross join lateral (values "
         f"(instructed, 'pool:' || left(town, 6) || ':temporary_assistance', -{AMOUNT_FEN}), "
         f"(instructed, 'in_transit', {AMOUNT_FEN}), (settled, 'in_transit', -{AMOUNT_FEN}), "
         f"(settled, 'paid', {AMOUNT_FEN})) as side (transfer_id, account, amount_fen)"),
    Fill("disbursement.statement_lines", "line_id, payment_id, kind, amount_fen, booked_at, matched, taken_at",
         f"uuidv7('-1 year'), payment_id, 'settled', {AMOUNT_FEN}, at, true, at"),
    Fill("disbursement.inbox", "event_id, handled_at", "uuidv7('-1 year'), at"),
)
COORDINATION: Final = (
    Fill("coordination.cases", "case_id, jurisdiction, benefits_asked, submitted_at, concluded_at, results",
         "case_id, town, array['temporary_assistance'], at, at, "
         f"jsonb_build_array(jsonb_build_object('item_id', item_id, 'outcome', 'grant', 'amount_fen', {AMOUNT_FEN}))"),
    Fill("coordination.items",
         "item_id, case_id, jurisdiction, owner, epoch, benefit, accepted_at, at_once, applicant_person_id, "
         "has_electricity_account, decision_id, confirmed_at, outcome, amount_fen, small_sum, paid_at",
         "item_id, case_id, town, town, 1, 'temporary_assistance', at, true, person_id, false, decision_id, at, "
         f"'grant', {AMOUNT_FEN}, true, at"),
    Fill("coordination.timeline", "event_id, case_id, item_id, type, legal_time, jurisdiction",
         "uuidv7('-1 year'), case_id, item_id, type, at, town", FOLLOWED),
    Fill("coordination.inbox", "event_id, handled_at", "uuidv7('-1 year'), at", FOLLOWED),
)
TRUNCATED_TOGETHER: Final = {"approval.decisions": "approval.decisions, approval.notices, approval.awards",
                             "approval.awards": ""}
"""Where foreign keys point at a table, Postgres truncates it only with those who point."""
JOBS: Final[tuple[tuple[Fill, ...], ...]] = (
    *((fill,) for fill in (*COORDINATION[::-1], *DISBURSEMENT, *INTAKE, APPROVAL[0])),
    APPROVAL[1:],
)
"""Each is a transaction. The largest tables come first, so that no connection ends long after the other."""


async def store(dsn: str, cases: int) -> None:
    """Fill empty tables with so many closed cases, and let the planner know."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(STAGING.replace("$1", str(cases)))
        waiting = iter(JOBS)
        await asyncio.gather(*(_work(dsn, waiting) for _ in range(CONNECTIONS)))
        await connection.execute("drop schema fill cascade")
    finally:
        await connection.close()


async def _work(dsn: str, waiting: Iterator[Sequence[Fill]]) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        for job in waiting:
            await _fill(connection, job)
            for fill in job:
                # Now, so that no automatic one falls into what is measured.
                await connection.execute(f"vacuum (analyze) {fill.table}")
    finally:
        await connection.close()


async def _fill(connection: asyncpg.Connection, job: Sequence[Fill]) -> None:
    async with connection.transaction():
        await connection.execute("set local session_replication_role = replica")
        # Otherwise two scans of the staging table at once share their place in it, and ids no longer ascend.
        await connection.execute("set local synchronize_seqscans = off")
        for fill in job:
            tables = TRUNCATED_TOGETHER.get(fill.table, fill.table)
            if tables:
                await connection.execute(f"truncate {tables}")
            await connection.execute(fill.sql)
