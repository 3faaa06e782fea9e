"""Reading what is known about cases: plain rows, never objects that could be stale after a bulk write."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

import asyncpg  # pyright: ignore[reportMissingTypeStubs]

from services.coordination.models import SCHEMA
from services.runtime.database import Transaction


class Facts(asyncpg.Record):
    """A row whose columns are attributes; the table's model says which."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


async def cases_of(tx: Transaction, case_ids: Collection[UUID]) -> list[Any]:
    """The cases, as far as any of them is known."""
    return await _rows(tx, "cases", "case_id", case_ids)


async def items_of(tx: Transaction, case_ids: Collection[UUID]) -> list[Any]:
    """The items of cases, in the order of their ids."""
    return await _rows(tx, "items", "item_id", case_ids)


async def referrals_of(tx: Transaction, case_ids: Collection[UUID]) -> list[Any]:
    """The referrals of cases, in the order of their ids."""
    return await _rows(tx, "referrals", "item_id", case_ids)


async def deadlines_of(tx: Transaction, case_ids: Collection[UUID]) -> list[Any]:
    """The deadlines of cases, the earliest first."""
    rows = await _rows(tx, "deadlines", "deadline_id", case_ids)
    return sorted(rows, key=lambda row: (row.due_at, row.kind))


async def _rows(tx: Transaction, table: str, key: str, case_ids: Collection[UUID]) -> list[Any]:
    # By the driver: a closing notice reads hundreds of cases at a time.
    return await tx.driver.fetch(
        f"select * from {SCHEMA}.{table} where case_id = any($1) order by {key}", list(case_ids), record_class=Facts
    )
