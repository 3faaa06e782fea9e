"""Recorded waits on the bank: the bank as a whole, or one order that it takes in no batch.

They end at a moment of legal time, survive every restart and hinder no leap of the clock. What a wait holds back
stays instructed: the ledger keeps its sum on the way, and a line of the bank's statement settles it as ever.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sqlalchemy import delete, func, select, text, union_all
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from contracts.http.waits import Wait
from services.disbursement import rules
from services.disbursement.models import BankWaitRow, OrderWaitRow, PaymentRow
from services.disbursement.rules import PaymentState
from services.runtime.database import Transaction

if TYPE_CHECKING:
    from services.runtime.process import Runtime

BANK: Final = "bank"


PAYMENTS: Final = "disbursement.payments p left join disbursement.order_waits o using (payment_id)"
MAY_BE_SENT: Final = (
    "(p.state = 'instructed' and coalesce(o.next_try_at <= $1, true) "
    "and not exists (select from disbursement.bank_waits where next_try_at > $1))"
)
"""Of PAYMENTS, at the legal moment $1: instructed, and neither the order nor the bank waits."""
WAITS: Final = f"select from {PAYMENTS} where p.payment_id = $2 and p.state = 'instructed' and not {MAY_BE_SENT}"


async def wait_for_bank(tx: Transaction, reason: str) -> None:
    """Send nothing for a while; longer each time."""
    known = (await tx.session.scalars(select(BankWaitRow))).one_or_none()
    tries_count = known.tries_count if known else 0
    wait = {"reason": reason, "tries_count": tries_count + 1,
            "next_try_at": tx.clock.now + rules.try_again_after(rules.AFTER_BANK_FAILURES, tries_count)}
    await tx.session.execute(
        insert(BankWaitRow).values(party=BANK, since=tx.clock.now, **wait)
        .on_conflict_do_update(index_elements=["party"], set_=wait)
    )


async def end_bank_wait(tx: Transaction) -> None:
    """The bank answers again."""
    await tx.session.execute(delete(BankWaitRow))


async def wait_with_order(tx: Transaction, payment_id: UUID, reason: str) -> None:
    """Leave this order out of the batches for a while; longer each time. Passed over once it is accepted."""
    payment = (await tx.session.scalars(select(PaymentRow).where(
        col(PaymentRow.payment_id) == payment_id, col(PaymentRow.state) == PaymentState.INSTRUCTED))).one_or_none()
    if payment is None:
        return
    known = await tx.session.get(OrderWaitRow, payment_id)
    tries_count = known.tries_count if known else 0
    wait = {"reason": reason, "tries_count": tries_count + 1,
            "next_try_at": tx.clock.now + rules.try_again_after(rules.AFTER_ORDER_REFUSALS, tries_count)}
    await tx.session.execute(
        insert(OrderWaitRow).values(payment_id=payment_id, case_id=payment.case_id, since=tx.clock.now,
                                    jurisdiction=payment.jurisdiction, **wait)
        .on_conflict_do_update(index_elements=["payment_id"], set_=wait)
    )


async def end_order_waits(tx: Transaction, payment_ids: Collection[UUID]) -> None:
    """These orders wait no longer: the bank has said something about them."""
    await tx.driver.execute("delete from disbursement.order_waits where payment_id = any($1)", list(payment_ids))


async def next_wait_ends_at(runtime: Runtime) -> datetime | None:
    """The next legal moment at which something is sent again."""
    moments = union_all(select(col(BankWaitRow.next_try_at).label("at")),
                        select(col(OrderWaitRow.next_try_at).label("at"))).subquery()
    async with runtime.database.transaction() as tx:
        return await tx.session.scalar(select(func.min(moments.c.at)).where(moments.c.at > tx.clock.now))


BANK_WAITS: Final = text("""
    select 'bank', w.reason, w.since, w.next_try_at, count(distinct p.case_id)
    from disbursement.bank_waits w join disbursement.payments p on p.state = 'instructed'
    group by w.party
    union all
    select 'bank', reason, min(since), min(next_try_at), count(distinct case_id)
    from disbursement.order_waits group by reason
    order by 2
""")


async def view_waits(tx: Transaction) -> list[Wait]:
    """What waits on the bank, by reason, as far as the transaction's jurisdiction may see it."""
    rows = await tx.session.execute(BANK_WAITS)
    return [Wait(party=party, reason=reason, since=since, next_try_at=next_try_at, cases_count=cases_count)
            for party, reason, since, next_try_at, cases_count in rows]


HELD_BACK: Final = text("""
    select p.payment_id, coalesce(o.reason, b.reason), coalesce(o.since, b.since),
           greatest(o.next_try_at, b.next_try_at)
    from disbursement.payments p
    left join disbursement.order_waits o using (payment_id)
    left join disbursement.bank_waits b on true
    where p.payment_id = any(:payment_ids) and p.state = 'instructed' and coalesce(o.reason, b.reason) is not null
""")


async def waits_of(tx: Transaction, payment_ids: Collection[UUID]) -> dict[UUID, Wait]:
    """Payment → what holds it back, for those that something does."""
    rows = await tx.session.execute(HELD_BACK, {"payment_ids": list(payment_ids)})
    return {payment_id: Wait(party=BANK, reason=reason, since=since, next_try_at=next_try_at, cases_count=1)
            for payment_id, reason, since, next_try_at in rows}


async def send_again(tx: Transaction, payment_id: UUID) -> bool:
    """End the waits that hold this payment back; False where none does."""
    if not await tx.driver.fetch(WAITS, tx.clock.now, payment_id):
        return False
    await end_order_waits(tx, [payment_id])
    await end_bank_wait(tx)
    return True
