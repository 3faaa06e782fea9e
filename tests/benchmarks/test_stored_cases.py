"""What is stored in bulk would have passed the checks that storing in bulk switches off."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest_asyncio

from benchmarks.harness.stored_cases import APPROVAL, COORDINATION, DISBURSEMENT, INTAKE, store
from deploy.local.infrastructure import Infrastructure
from services.runtime.migrations import migrate

CASES = 40
DATABASE = "stored_cases"
SERVICES = ("intake", "verification", "approval", "disbursement", "coordination")
PER_CASE = {"intake.vault_entries": 4, "disbursement.postings": 4, "coordination.timeline": 6, "coordination.inbox": 6}
FOREIGN_KEYS = """
    select conrelid::regclass::text as from_table, confrelid::regclass::text as to_table, a.attname as column_name,
        b.attname as key
    from pg_constraint
    join pg_attribute a on a.attrelid = conrelid and a.attnum = conkey[1]
    join pg_attribute b on b.attrelid = confrelid and b.attnum = confkey[1]
    where contype = 'f'
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def filled(stack: Infrastructure) -> AsyncIterator[asyncpg.Connection]:
    """A database of its own with every schema, and closed cases in it."""
    admin = await asyncpg.connect(stack.database_dsn("admin", "postgres"))
    await admin.execute(f"create database {DATABASE}")
    dsn = stack.database_dsn("admin", DATABASE)
    for service in SERVICES:
        await migrate(service, dsn)
    await store(dsn, CASES)
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()
        await admin.execute(f"drop database {DATABASE} with (force)")
        await admin.close()


async def test_every_table_has_its_rows_per_case(filled: asyncpg.Connection) -> None:
    for fill in (*INTAKE, *APPROVAL, *DISBURSEMENT, *COORDINATION):
        count = await filled.fetchval(f"select count(*) from {fill.table}")
        assert count == CASES * PER_CASE.get(fill.table, 1), fill.table


async def test_no_row_points_at_nothing(filled: asyncpg.Connection) -> None:
    keys = await filled.fetch(FOREIGN_KEYS)
    assert keys
    for key in keys:
        lost = await filled.fetchval(
            f"select count(*) from {key['from_table']} where {key['column_name']} is not null and "
            f"{key['column_name']} not in (select {key['key']} from {key['to_table']})")
        assert lost == 0, dict(key)


async def test_ids_mean_the_same_case_in_every_service(filled: asyncpg.Connection) -> None:
    whole = await filled.fetchval(
        "select count(*) from intake.items i join approval.items a using (item_id, case_id) "
        "join approval.awards w using (item_id, case_id) join disbursement.awards d using (award_id, case_id) "
        "join disbursement.payments p using (award_id, case_id) join coordination.items c on c.item_id = i.item_id "
        "join intake.members m on m.case_id = i.case_id and m.person_id = p.payee_person_id "
        "join intake.persons using (person_id)")
    assert whole == CASES


async def test_every_transfer_adds_up_to_nothing(filled: asyncpg.Connection) -> None:
    sums = await filled.fetch("select sum(amount_fen) as fen from disbursement.postings group by transfer_id")
    assert [row["fen"] for row in sums] == [0] * (2 * CASES)


async def test_each_settled_payment_is_on_the_statement_once(filled: asyncpg.Connection) -> None:
    settled = "select payment_id from disbursement.payments where state = 'settled'"
    lines = await filled.fetchval(
        f"select count(distinct payment_id) from disbursement.statement_lines where payment_id in ({settled})")
    assert lines == CASES
