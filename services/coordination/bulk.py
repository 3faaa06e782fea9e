"""Rows written many at a time: one statement per table and batch, whatever the number of cases in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

import orjson

from services.coordination.models import SCHEMA
from services.runtime.database import Transaction

JOINED: Final = frozenset({"benefits_asked"})
"""Lists that grow; every other column takes the newer value."""
PLACE: Final = "jurisdiction"
PLACED_BY: Final = {"items": "owner", "cases": "submitted_at"}
"""Whose events say where the row belongs: a visit elsewhere does not move an item out of its district's sight."""


async def insert(tx: Transaction, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows of the same columns; a row that is there already stays as it is."""
    if rows:
        await tx.driver.execute(_insert_sql(table, tuple(rows[0])) + " on conflict do nothing", as_json(rows))


async def upsert(
    tx: Transaction, table: str, key: tuple[str, ...], rows: Sequence[Mapping[str, Any]],
    *, returning: tuple[str, ...] = (),
) -> list[Any]:
    """Insert rows of the same columns or add their values to what is there; a null changes nothing.

    Hazard: at most one row per key, or Postgres refuses the statement.
    """
    if not rows:
        return []
    return list(await tx.driver.fetch(_upsert_sql(table, key, tuple(rows[0]), returning), as_json(rows)))


def as_json(rows: Sequence[Mapping[str, Any]]) -> str:
    # Hazard: ids read from the database are a subclass of UUID, which orjson does not know.
    return orjson.dumps(rows, default=str).decode()


@cache
def _insert_sql(table: str, columns: tuple[str, ...]) -> str:
    names = ", ".join(columns)
    return (f"insert into {SCHEMA}.{table} ({names}) "
            f"select {names} from json_populate_recordset(null::{SCHEMA}.{table}, $1::json)")


@cache
def _upsert_sql(table: str, key: tuple[str, ...], columns: tuple[str, ...], returning: tuple[str, ...]) -> str:
    changes = ", ".join(f"{name} = {_newer(table, name, columns)}" for name in columns if name not in key)
    wanted = ", ".join(f"{table}.{name}" for name in returning or key)
    return f"{_insert_sql(table, columns)} on conflict ({', '.join(key)}) do update set {changes} returning {wanted}"


def _newer(table: str, name: str, columns: tuple[str, ...]) -> str:
    if name == PLACE:
        source = PLACED_BY[table]
        newer = f"excluded.{source} is not null" if source in columns else "false"
        return f"case when {newer} then excluded.{name} else {table}.{name} end"
    if name in JOINED:
        return f"array(select distinct unnest({table}.{name} || excluded.{name}))"
    return f"coalesce(excluded.{name}, {table}.{name})"
