"""What the database itself refuses, and what no officer sees."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import asyncpg
import pytest

from contracts.envelope import new_id
from tests.services.approval.builders import (
    BAISHA,
    JIANGJIN,
    JIJIANG,
    a_verification,
    an_item_accepted,
)
from tests.services.approval.service_under_test import Approval

MARCH_4 = date(2026, 3, 4)
pytestmark = pytest.mark.asyncio(loop_scope="session")


async def a_small_sum(approval: Approval) -> UUID:
    item = an_item_accepted(on=MARCH_4, small_sum_fen=50000)
    await approval.on(MARCH_4).receive(item)
    return (await approval.decision_of(item))["decision_id"]


async def test_a_decision_has_at_most_one_award(approval: Approval) -> None:
    decision_id = await a_small_sum(approval)
    with pytest.raises(asyncpg.UniqueViolationError):
        await approval.rows(
            "insert into approval.awards select $2, decision_id, item_id, case_id, jurisdiction, benefit, amount_fen, "
            "period, first_month, payee_person_id, household_size, started_at from approval.awards "
            "where decision_id = $1", decision_id, new_id(),
        )


async def test_an_item_has_at_most_one_standing_decision(approval: Approval) -> None:
    item = an_item_accepted()
    await approval.on(date(2025, 1, 8)).receive(item, a_verification(item))
    with pytest.raises(asyncpg.UniqueViolationError):
        await approval.rows(
            "insert into approval.decisions select (jsonb_populate_record(made, "
            "jsonb_build_object('decision_id', $2::uuid))).* from approval.decisions as made where item_id = $1",
            item.item_id, new_id(),
        )


@pytest.mark.parametrize("change", ["amount_fen = amount_fen + 1", "state = 'superseded'", "confirmed_by = 'another'"])
async def test_a_confirmed_decision_never_changes(approval: Approval, change: str) -> None:
    decision_id = await a_small_sum(approval)
    with pytest.raises(asyncpg.RestrictViolationError):
        await approval.rows(f"update approval.decisions set {change} where decision_id = $1", decision_id)


@pytest.mark.parametrize("table", ["decisions", "awards"])
async def test_money_is_never_zero_or_less(approval: Approval, table: str) -> None:
    checks = await approval.rows(
        "select pg_get_constraintdef(oid) as rule from pg_constraint where conrelid = $1::text::regclass "
        "and contype = 'c'", f"approval.{table}",
    )
    assert any("amount_fen > 0" in check["rule"] for check in checks)


@pytest.mark.parametrize(("jurisdiction", "status"), [(BAISHA, 200), (JIANGJIN, 200), (JIJIANG, 404), ("500112", 404)])
async def test_an_officer_reads_only_what_lies_in_their_place(
    approval: Approval, jurisdiction: str, status: int
) -> None:
    item = an_item_accepted()
    await approval.on(date(2025, 1, 8)).receive(item, a_verification(item))
    decision_id = (await approval.decision_of(item))["decision_id"]
    officer = approval.officer(jurisdiction)
    for path in (f"/items/{item.item_id}", f"/decisions/{decision_id}"):
        assert (await approval.http.get(path, headers=officer)).status_code == status
    case = (await approval.http.get(f"/cases/{item.case_id}", headers=officer)).json()
    assert [len(case[part]) for part in ("items", "notices", "evidence")] == [1 if status == 200 else 0] * 3


async def test_without_a_jurisdiction_the_service_sees_no_row(approval: Approval) -> None:
    await a_small_sum(approval)
    connection = await asyncpg.connect(approval.database.dsn)
    try:
        for table in ("items", "evidence", "decisions", "notices", "awards"):
            assert await connection.fetchval(f"select count(*) from approval.{table}") == 0
    finally:
        await connection.close()
