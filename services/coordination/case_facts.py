"""Reading what is known about cases: plain rows, never objects that could be stale after a bulk write."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Uuid, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from services.coordination.models import CaseRow, DeadlineRow, ItemRow, ReferralRow
from services.runtime.database import Transaction


async def cases_of(tx: Transaction, case_ids: Collection[UUID]) -> list[CaseRow]:
    """The cases, as far as any of them is known."""
    return await _rows(tx, CaseRow, case_ids)


async def items_of(tx: Transaction, case_ids: Collection[UUID]) -> list[ItemRow]:
    """The items of cases, in the order of their ids."""
    return await _rows(tx, ItemRow, case_ids)


async def referrals_of(tx: Transaction, case_ids: Collection[UUID]) -> list[ReferralRow]:
    """The referrals of cases, in the order of their ids."""
    return await _rows(tx, ReferralRow, case_ids)


async def deadlines_of(tx: Transaction, case_ids: Collection[UUID]) -> list[DeadlineRow]:
    """The deadlines of cases, the earliest first."""
    rows = await _rows(tx, DeadlineRow, case_ids)
    return sorted(rows, key=lambda row: (row.due_at, row.kind))


async def _rows(tx: Transaction, model: Any, case_ids: Collection[UUID]) -> list[Any]:
    table = model.__table__
    # One array parameter: a list of hundreds of parameters would be compiled anew for each length.
    wanted = literal(list(case_ids), ARRAY(Uuid))
    statement = select(table).where(table.c.case_id == any_(wanted)).order_by(*table.primary_key)
    found = (await tx.session.execute(statement)).all()
    return cast(list[Any], list(cast(Sequence[Any], found)))
