"""The floor of a pay day: owed awards become payments and orders to the bank, with asyncpg and httpx alone.

    FLOOR_DSN=… FLOOR_CITY=… python -m benchmarks.floors.pay_day
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import asyncpg
import httpx
import orjson
import uvloop

from benchmarks.floors.stage_process import BODY, EVENT
from contracts.envelope import new_id

SCHEMA: Final = "pay_day"
ORDERS_PER_BATCH: Final = 500
"""As many as disbursement instructs and sends at a time."""
CREATE: Final = f"""
    create schema {SCHEMA};
    create table {SCHEMA}.awards (award_id uuid primary key, case_id uuid not null, body text not null);
    create table {SCHEMA}.payments (
        payment_id uuid primary key, award_id uuid not null unique, case_id uuid not null, body text not null,
        state text not null
    );
    create index on {SCHEMA}.payments (case_id);
    create index on {SCHEMA}.payments (payment_id) where state = 'instructed';
    create table {SCHEMA}.postings (row_id uuid primary key, case_id uuid not null, body text not null);
    create index on {SCHEMA}.postings (case_id);
    create table {SCHEMA}.vault_accesses (row_id uuid primary key, case_id uuid not null, body text not null);
    create table {SCHEMA}.outbox (event_id uuid primary key, case_id uuid not null, value bytea not null);
    create table {SCHEMA}.started (at timestamptz not null);
"""
STORE_AWARDS: Final = f"""
    insert into {SCHEMA}.awards select uuidv7(), uuidv7(), repeat('x', 200) from generate_series(1, $1)
"""
OWED: Final = f"""
    select award_id, case_id from {SCHEMA}.awards as a
    where not exists (select from {SCHEMA}.payments as p where p.award_id = a.award_id) order by award_id limit $1
"""


async def run() -> None:
    """Pay everything that is owed."""
    connection = await asyncpg.connect(os.environ["FLOOR_DSN"])
    await connection.execute(f"insert into {SCHEMA}.started (at) values (clock_timestamp())")
    async with httpx.AsyncClient(timeout=None, trust_env=False) as http:
        while owed := await connection.fetch(OWED, ORDERS_PER_BATCH):
            payments = [(new_id(), row["award_id"], row["case_id"], BODY, "instructed") for row in owed]
            await _instruct(connection, payments)
            await _send(connection, http, [payment_id for payment_id, *_ in payments])
    await connection.close()


async def _instruct(connection: asyncpg.Connection, payments: Sequence[tuple[Any, ...]]) -> None:
    cases = [case_id for _, _, case_id, *_ in payments]
    async with connection.transaction():
        await connection.copy_records_to_table("payments", schema_name=SCHEMA, records=payments)
        for table, rows in (
            ("postings", [(new_id(), case_id, BODY) for case_id in cases for _ in range(2)]),
            ("vault_accesses", [(new_id(), case_id, BODY) for case_id in cases]),
            ("outbox", [(new_id(), case_id, EVENT) for case_id in cases]),
        ):
            await connection.copy_records_to_table(table, schema_name=SCHEMA, records=rows)


async def _send(connection: asyncpg.Connection, http: httpx.AsyncClient, payment_ids: Sequence[UUID]) -> None:
    orders = [{"payment_id": str(payment_id), "payee": BODY} for payment_id in payment_ids]
    answer = await http.post(f"{os.environ['FLOOR_CITY']}/payment-batches", content=orjson.dumps({"orders": orders}))
    accepted = [UUID(result["payment_id"]) for result in answer.raise_for_status().json()["results"]]
    await connection.execute(
        f"update {SCHEMA}.payments set state = 'accepted' where payment_id = any($1)", accepted)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())
