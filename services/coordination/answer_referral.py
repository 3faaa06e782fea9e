"""A department answers a referral; its final answer is the result of that item."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from contracts.benefits import Benefit, Department
from contracts.envelope import Subject
from contracts.events.referral import ReferralAnswer, ReferralAnswered
from contracts.http.casework import AnswerReferral, TaskKind
from contracts.processes import ReferralAnsweredSignal, referral_workflow_id
from services.coordination.bridge import PendingSignal, enqueue
from services.coordination.conclude_case import conclude_cases
from services.coordination.effects import SENT_WITH
from services.coordination.settle_deadlines import settle_deadlines
from services.coordination.tasks import close_tasks
from services.coordination.timeline import tell
from services.runtime.database import Transaction
from services.runtime.problems import Problem


async def answer_referral(tx: Transaction, department: str, item_id: UUID, answer: AnswerReferral) -> None:
    """Take a department's answer. The same again changes nothing; `received` is no end.

    Raises Problem 404 for a referral that is not this department's, 409 for another final answer than before.
    """
    case_id = await tx.driver.fetchval(
        "select case_id from coordination.referrals where item_id = $1 and department = $2", item_id, department
    )
    if case_id is None:
        raise Problem(404, "referral_unknown", f"Referral {item_id}: not one of department {department}.")
    await tx.lock_cases(case_id)
    referral = await tx.driver.fetchrow("select * from coordination.referrals where item_id = $1", item_id)
    if not _is_new(referral, answer):
        return
    await _store(tx, item_id, answer)
    place = await tx.driver.fetchrow(
        "select owner, epoch from coordination.items where item_id = $1", referral["because_item_id"]
    )
    subject = Subject(case_id=case_id, item_id=item_id, jurisdiction=referral["jurisdiction"],
                      owner=place["owner"], epoch=place["epoch"])
    event = await tell(tx, ReferralAnswered(
        department=Department(department), benefit=Benefit(referral["benefit"]), answer=answer.answer,
        amount_fen_month=answer.amount_fen_month, from_month=answer.from_month, reason=answer.reason,
    ), subject)
    signal = ReferralAnsweredSignal(event_id=event.id, answer=answer.answer, leap=SENT_WITH)
    await enqueue(tx, [PendingSignal(referral_workflow_id(item_id), signal, case_id)])
    if answer.answer is not ReferralAnswer.RECEIVED:
        await close_tasks(tx, [(item_id, TaskKind.CHASE_REFERRAL)])
        await settle_deadlines(tx, [case_id])
        await conclude_cases(tx, [case_id])


def _is_new(referral: Any, answer: AnswerReferral) -> bool:
    if answer.answer is ReferralAnswer.RECEIVED:
        return referral["received_at"] is None and referral["answer"] is None
    if referral["answer"] is None:
        return True
    given = (referral["answer"], referral["amount_fen_month"], referral["granted_from_month"], referral["reason"])
    if given != (answer.answer, answer.amount_fen_month, answer.from_month, answer.reason):
        raise Problem(409, "already_answered", f"Referral {referral['item_id']}: answered {referral['answer']} "
                      "before, and that answer stands. A change of it is a new matter.")
    return False


async def _store(tx: Transaction, item_id: UUID, answer: AnswerReferral) -> None:
    if answer.answer is ReferralAnswer.RECEIVED:
        await tx.driver.execute(
            "update coordination.referrals set received_at = $2 where item_id = $1", item_id, tx.clock.now
        )
        return
    await tx.driver.execute(
        "update coordination.referrals set answer = $2, answered_at = $3, amount_fen_month = $4, "
        "granted_from_month = $5, reason = $6 where item_id = $1",
        item_id, answer.answer, tx.clock.now, answer.amount_fen_month, answer.from_month, answer.reason,
    )
