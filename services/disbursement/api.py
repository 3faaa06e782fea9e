"""HTTP of disbursement: payments to read, statements to take."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel
from sqlalchemy import ColumnElement, select
from sqlmodel import col

from contracts.http.bank import LinesTaken, Statement
from contracts.http.casework import Recorded
from contracts.http.waits import Wait, Waits
from services.disbursement.instruct_payments import BANK_LOOP
from services.disbursement.models import AwardRow, PaymentRow, StatementLineRow
from services.disbursement.recorded_waits import send_again, view_waits, waits_of
from services.disbursement.take_statement import take_statement as take
from services.runtime.http import Caller, Problem, get_runtime, require
from services.runtime.process import Runtime

router = APIRouter()

BANK_SUBJECT = "actor:bank"
LINES_MAX = 500
Process = Annotated[Runtime, Depends(get_runtime)]
Reader = Annotated[Caller, Depends(require("officer", "operator", "service"))]
Operator = Annotated[Caller, Depends(require("operator"))]
Bank = Annotated[Caller, Depends(require("actor"))]


class PaymentView(BaseModel):
    """A payment as officers and operators see it: whom it went to is a person id, never an account."""

    payment_id: UUID
    award_id: UUID
    item_id: UUID
    benefit: str
    period: date
    amount_fen: int
    state: str
    reason_code: str | None
    instructed_at: datetime
    accepted_at: datetime | None
    ended_at: datetime | None
    waits: Wait | None = None
    """What holds it back at the bank, since when, and when it is tried again."""


class AwardView(BaseModel):
    """An award as disbursement pays it."""

    award_id: UUID
    item_id: UUID
    benefit: str
    amount_fen: int
    period: str
    first_month: date
    last_month: date | None


class UnexplainedLine(BaseModel):
    """A line of the bank's statement that fits no payment, or no payment any more: a person asks the bank."""

    line_id: UUID
    payment_id: UUID
    kind: str
    amount_fen: int
    booked_at: datetime
    reason_code: str | None
    taken_at: datetime


class CaseMoney(BaseModel):
    """Disbursement's part of a case."""

    awards: list[AwardView]
    payments: list[PaymentView]


@router.get("/payments")
async def payments(case_id: UUID, runtime: Process, caller: Reader) -> list[PaymentView]:
    """The payments of a case, oldest period first."""
    return await _payments(runtime, caller, col(PaymentRow.case_id) == case_id)


@router.get("/awards/{award_id}/payments")
async def payments_of_award(award_id: UUID, runtime: Process, caller: Reader) -> list[PaymentView]:
    """The payments of an award, oldest period first."""
    return await _payments(runtime, caller, col(PaymentRow.award_id) == award_id)


@router.get("/cases/{case_id}")
async def case(case_id: UUID, runtime: Process, caller: Reader) -> CaseMoney:
    """Awards and payments of a case."""
    async with runtime.database.transaction(caller.scope) as tx:
        awards = await tx.session.scalars(
            select(AwardRow).where(col(AwardRow.case_id) == case_id).order_by(col(AwardRow.award_id)))
        views = [AwardView.model_validate(row, from_attributes=True) for row in awards]
    return CaseMoney(awards=views, payments=await _payments(runtime, caller, col(PaymentRow.case_id) == case_id))


@router.get("/waits")
async def waits(runtime: Process, caller: Operator) -> Waits:
    """What waits on the bank: since when, why, until when, and how many cases."""
    async with runtime.database.transaction(caller.scope) as tx:
        return Waits(waits=await view_waits(tx), circuits=runtime.breakers.not_closed())


@router.post("/payments/{payment_id}/send-again", status_code=202)
async def send_payment_again(payment_id: UUID, runtime: Process, caller: Operator) -> Recorded:
    """Send a waiting payment now, its cause being mended."""
    async with runtime.database.transaction(caller.scope) as tx:
        if not await send_again(tx, payment_id):
            raise Problem(409, "not_waiting", f"Payment {payment_id} does not wait on the bank; see its state.")
        tx.nudge(BANK_LOOP)
    return Recorded(id=payment_id)


@router.get("/bank/unexplained-lines")
async def unexplained_lines(runtime: Process, caller: Operator) -> list[UnexplainedLine]:
    """Lines of the bank's statement that moved nothing here, newest first: for a person to take up with the bank."""
    async with runtime.database.transaction(caller.scope) as tx:
        rows = await tx.session.scalars(
            select(StatementLineRow).where(~col(StatementLineRow.matched))
            .order_by(col(StatementLineRow.taken_at).desc(), col(StatementLineRow.line_id)).limit(LINES_MAX))
        return [UnexplainedLine.model_validate(row, from_attributes=True) for row in rows]


@router.post("/bank/statements")
async def take_statement(statement: Statement, runtime: Process, caller: Bank) -> LinesTaken:
    """Lines of the bank's statement. A line sent again counts as nothing."""
    if caller.subject != BANK_SUBJECT:
        raise Problem(403, "not_the_bank", "Only the bank may send statements.")
    async with runtime.database.transaction() as tx:
        return LinesTaken(taken=await take(tx, statement.lines))


async def _payments(runtime: Runtime, caller: Caller, which: ColumnElement[bool]) -> list[PaymentView]:
    async with runtime.database.transaction(caller.scope) as tx:
        rows = await tx.session.scalars(
            select(PaymentRow).where(which).order_by(col(PaymentRow.period), col(PaymentRow.payment_id)))
        views = [PaymentView.model_validate(row, from_attributes=True) for row in rows]
        held_back = await waits_of(tx, [view.payment_id for view in views])
        return [view.model_copy(update={"waits": held_back.get(view.payment_id)}) for view in views]
