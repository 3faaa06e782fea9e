"""Money on real Postgres: each period once, the ledger balanced, the bank's word taken once."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import select

from contracts.benefits import Benefit
from contracts.envelope import EventEnvelope, Subject, new_id
from contracts.events.award import AwardEnded, AwardStarted
from contracts.events.decision import Period
from contracts.http.bank import LineKind, OrderResult, OrderStatus, StatementLine
from deploy.local.infrastructure import Infrastructure
from services.disbursement import rules
from services.disbursement.models import PaymentRow
from services.disbursement.run_payments import run_payments
from services.disbursement.send_to_bank import record_results
from services.disbursement.start_awards import end_awards, start_awards
from services.disbursement.take_statement import take_statement
from services.runtime.database import Database

pytestmark = pytest.mark.asyncio(loop_scope="session")

JANUARY, FEBRUARY, MARCH = date(2025, 1, 1), date(2025, 2, 1), date(2025, 3, 1)
TOWN = "500116106"


def an_award(*, amount_fen: int = 67_000, period: Period = Period.MONTHLY, town: str = TOWN,
             first_month: date = JANUARY) -> EventEnvelope[AwardStarted]:
    started = AwardStarted(
        award_id=new_id(), decision_id=new_id(), benefit=Benefit.DIBAO, amount_fen=amount_fen, period=period,
        first_month=first_month, payee_person_id=new_id(), household_size=1,
    )
    return an_event(started, Subject(case_id=new_id(), item_id=new_id(), jurisdiction=town, owner=town, epoch=1))


def an_event(data: Any, subject: Subject) -> EventEnvelope[Any]:
    return EventEnvelope[Any].of(data, subject, service="approval", time=datetime(2025, 1, 16, tzinfo=UTC),
                                 rule_date=date(2025, 1, 16))


def a_line(payment: PaymentRow, kind: LineKind = LineKind.SETTLED, *, amount_fen: int | None = None) -> StatementLine:
    return StatementLine(line_id=new_id(), payment_id=payment.payment_id, kind=kind,
                         amount_fen=amount_fen or payment.amount_fen, booked_at=datetime(2025, 2, 10, 4, tzinfo=UTC))


async def start(database: Database, *events: EventEnvelope[AwardStarted]) -> None:
    async with database.transaction() as tx:
        await tx.lock_cases(*(event.case_id for event in events))
        await start_awards(tx, list(events))


async def payments_of(database: Database, event: EventEnvelope[AwardStarted]) -> list[PaymentRow]:
    async with database.transaction() as tx:
        rows = await tx.session.scalars(
            select(PaymentRow).where(PaymentRow.award_id == event.data.award_id).order_by(PaymentRow.period))
        return list(rows)


async def take(database: Database, *lines: StatementLine) -> int:
    async with database.transaction() as tx:
        return await take_statement(tx, lines)


async def balances(stack: Infrastructure, payment_id: UUID) -> dict[str, int]:
    connection = await asyncpg.connect(stack.database_dsn("admin"))
    try:
        rows = await connection.fetch(
            "select account, sum(amount_fen)::bigint as fen from disbursement.postings where payment_id = $1 "
            "group by account having sum(amount_fen) <> 0", payment_id)
        return {row["account"]: row["fen"] for row in rows}
    finally:
        await connection.close()


async def test_what_is_given_once_is_paid_at_once_and_only_once(database: Database) -> None:
    award = an_award(period=Period.ONCE, amount_fen=63_000)
    await start(database, award)
    await start(database, award)
    paid = await payments_of(database, award)
    assert [(row.amount_fen, row.state) for row in paid] == [(63_000, "instructed")]


async def test_a_run_pays_every_month_owed_and_a_rerun_pays_nothing(database: Database) -> None:
    award = an_award(town="500107006")
    await start(database, award)
    assert await payments_of(database, award) == []
    assert await run_payments(database, "500107", FEBRUARY) == (2, 134_000)
    assert await run_payments(database, "500107", FEBRUARY) == (0, 0)
    assert await run_payments(database, "500107", MARCH) == (1, 67_000)
    assert [row.period for row in await payments_of(database, award)] == [JANUARY, FEBRUARY, MARCH]


async def test_two_runs_at_the_same_moment_pay_each_month_once(database: Database) -> None:
    awards = [an_award(town="500151001") for _ in range(30)]
    await start(database, *awards)
    runs = await asyncio.gather(*(run_payments(database, "500151", MARCH) for _ in range(3)))
    assert sum(count for count, _ in runs) == 90
    for award in awards:
        assert [row.period for row in await payments_of(database, award)] == [JANUARY, FEBRUARY, MARCH]


@pytest.mark.parametrize(("last_month", "paid"), [(JANUARY, [JANUARY]), (FEBRUARY, [JANUARY, FEBRUARY])])
async def test_nothing_is_paid_after_the_last_month(
    database: Database, last_month: date, paid: list[date]
) -> None:
    award = an_award(town=f"50011200{last_month.month}")
    await start(database, award)
    ended = AwardEnded(award_id=award.data.award_id, benefit=Benefit.DIBAO, last_month=last_month,
                       reason_code="income")
    async with database.transaction() as tx:
        await end_awards(tx, [an_event(ended, award.subject)])
    await run_payments(database, "500112", MARCH)
    assert [row.period for row in await payments_of(database, award)] == paid


async def test_a_settled_payment_moves_from_the_pool_to_paid(stack: Infrastructure, database: Database) -> None:
    award = an_award(period=Period.ONCE)
    await start(database, award)
    [payment] = await payments_of(database, award)
    pool = f"pool:500116:{Benefit.DIBAO}"
    assert await balances(stack, payment.payment_id) == {pool: -67_000, "in_transit": 67_000}
    assert await take(database, a_line(payment)) == 1
    assert await balances(stack, payment.payment_id) == {pool: -67_000, "paid": 67_000}


async def test_a_bank_that_settles_twice_moves_the_ledger_once(stack: Infrastructure, database: Database) -> None:
    award = an_award(period=Period.ONCE)
    await start(database, award)
    [payment] = await payments_of(database, award)
    line = a_line(payment)
    assert await take(database, line) == 1
    assert await take(database, line) == 0, "the same line again"
    assert await take(database, a_line(payment)) == 1, "another line for the same payment is kept, unmatched"
    assert (await balances(stack, payment.payment_id))["paid"] == 67_000


async def test_a_wrong_sum_or_an_unknown_payment_moves_nothing(stack: Infrastructure, database: Database) -> None:
    award = an_award(period=Period.ONCE)
    await start(database, award)
    [payment] = await payments_of(database, award)
    assert await take(database, a_line(payment, amount_fen=1)) == 1
    assert (await payments_of(database, award))[0].state == "instructed"
    payment.payment_id = new_id()
    assert await take(database, a_line(payment)) == 1


@pytest.mark.parametrize("settled_before", [False, True])
async def test_money_that_comes_back_is_in_the_pool_again(
    stack: Infrastructure, database: Database, settled_before: bool
) -> None:
    award = an_award(period=Period.ONCE)
    await start(database, award)
    [payment] = await payments_of(database, award)
    if settled_before:
        await take(database, a_line(payment))
    await take(database, a_line(payment, LineKind.RETURNED))
    assert await balances(stack, payment.payment_id) == {}
    assert (await payments_of(database, award))[0].state == "returned"


@pytest.mark.parametrize(("told", "kept"), [
    ("closed_account", "closed_account"), (None, None), ("", "other"), ("户名雷某不符 6217001234", "other"),
    ("50011619610402001X", "other"), ("a" * 61, "other"),
])
async def test_a_banks_reason_is_kept_as_a_code_and_never_in_its_words(told: str | None, kept: str | None) -> None:
    assert rules.reason_code(told) == kept


async def test_an_order_the_bank_rejects_gives_its_money_back(stack: Infrastructure, database: Database) -> None:
    award = an_award(period=Period.ONCE)
    await start(database, award)
    [payment] = await payments_of(database, award)
    result = OrderResult(payment_id=payment.payment_id, status=OrderStatus.REJECTED, reason_code="closed_account")
    for _ in range(2):
        async with database.transaction() as tx:
            await record_results(tx, [result])
    [payment] = await payments_of(database, award)
    assert (payment.state, payment.reason_code) == ("returned", "closed_account")
    assert await balances(stack, payment.payment_id) == {}


async def test_the_database_refuses_a_transfer_that_does_not_balance(database: Database) -> None:
    with pytest.raises(Exception, match="does not add up to nothing"):
        async with database.transaction() as tx:
            await tx.driver.execute(
                "insert into disbursement.postings (transfer_id, account, payment_id, jurisdiction, amount_fen, "
                "posted_at) values ($1, 'paid', $2, '500116', 100, now())", new_id(), new_id())


async def test_postings_can_be_neither_changed_nor_deleted(stack: Infrastructure, database: Database) -> None:
    await start(database, an_award(period=Period.ONCE))
    for role in ("disbursement", "admin"):
        connection = await asyncpg.connect(stack.database_dsn(role))
        try:
            for statement in ("update disbursement.postings set amount_fen = 0", "delete from disbursement.postings"):
                with pytest.raises(asyncpg.PostgresError):
                    await connection.execute(statement)
        finally:
            await connection.close()
