"""The monthly run of a paying place: every period that is owed and not yet instructed. A rerun finds nothing."""

from __future__ import annotations

from datetime import date
from typing import Final

from sqlalchemy import text

from services.disbursement.instruct_payments import Owed, instruct_payments
from services.runtime.database import Database, Transaction

AWARDS_PER_TRANSACTION: Final = 500

OWED_PERIODS: Final = text("""
    select a.award_id, a.case_id, a.item_id, a.jurisdiction, a.epoch, a.benefit, a.amount_fen,
           month::date as period, a.payee_person_id
    from disbursement.awards a
    cross join lateral generate_series(
        a.first_month, least(:period, coalesce(a.last_month, :period)), interval '1 month') as month
    where a.place = :place and a.period = 'monthly' and a.first_month <= :period
      and not exists (select from disbursement.payments p where p.award_id = a.award_id and p.period = month::date)
    order by month, a.award_id
    limit :most
""")


async def run_payments(database: Database, place: str, period: date) -> tuple[int, int]:
    """Instruct all that is owed up to and including `period`; return how many payments, and their sum in fen.

    In transactions of bounded size: what is committed stays when the process dies, and a rerun does the rest.
    """
    count = amount_fen = 0
    while True:
        async with database.transaction() as tx:
            owed = await _owed_periods(tx, place, period)
            await tx.lock_cases(*(part.case_id for part in owed))
            instructed = await instruct_payments(tx, owed)
        if not owed:
            return count, amount_fen
        count += len(instructed)
        amount_fen += sum(part.amount_fen for part in instructed)


async def _owed_periods(tx: Transaction, place: str, period: date) -> list[Owed]:
    rows = await tx.session.execute(OWED_PERIODS, {"place": place, "period": period, "most": AWARDS_PER_TRANSACTION})
    return [Owed(**row) for row in rows.mappings()]
