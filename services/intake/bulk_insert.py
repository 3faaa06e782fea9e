"""Many rows into several tables in one round trip: about five times as fast as a statement per row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import orjson
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import SQLModel

from services.intake.models import table_of
from services.runtime.database import Transaction

DIALECT = postgresql.dialect()
Rows = Sequence[Mapping[str, Any]]


async def bulk_insert(
    tx: Transaction, rows_of: Mapping[type[SQLModel], Rows], *, skip_known: frozenset[type[SQLModel]] = frozenset()
) -> None:
    """Insert everything in one statement; all rows of a table have the columns of its first.

    Rows of a table in `skip_known` are passed over where their key is there already.
    """
    filled = {table_of(model): rows for model, rows in rows_of.items() if rows}
    if not filled:
        return
    skipping = frozenset(table_of(model) for model in skip_known)
    shape = tuple((table, tuple(rows[0]), table in skipping) for table, rows in filled.items())
    values = [_column(table, name, rows) for table, rows in filled.items() for name in rows[0]]
    await tx.driver.execute(_statement(shape), *values)


@cache
def _statement(shape: tuple[tuple[Table, tuple[str, ...], bool], ...]) -> str:
    inserts: list[str] = []
    position = 0
    for table, columns, skips_known in shape:
        arrays: list[str] = []
        for name in columns:
            position += 1
            arrays.append(f"${position}::{table.c[name].type.compile(DIALECT)}[]")
        insert = f"insert into {table.fullname} ({', '.join(columns)}) select * from unnest({', '.join(arrays)})"
        inserts.append(f"{table.name}_rows as ({insert}{' on conflict do nothing' if skips_known else ''})")
    return f"with {', '.join(inserts)} select"


def _column(table: Table, name: str, rows: Rows) -> list[Any]:
    if isinstance(table.c[name].type, JSONB):
        return [orjson.dumps(row[name]).decode() for row in rows]
    return [row[name] for row in rows]
