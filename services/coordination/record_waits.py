"""Recording a wait before it begins: every due moment, on the place's calendar, known outside the workflow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from contracts.benefits import Benefit
from contracts.envelope import Subject, new_id
from contracts.events.deadline import DeadlineKind
from contracts.processes import (
    DUE_PERCENT,
    ItemStarted,
    NoticeWait,
    PaymentDay,
    PaymentRunStarted,
    ReferralStarted,
    Waits,
    Wake,
    item_workflow_id,
    payment_run_workflow_id,
    referral_workflow_id,
)
from services.coordination import bulk, rules
from services.coordination.bridge import leap_of
from services.coordination.models import DeadlineState
from services.coordination.settle_deadlines import settle_deadlines
from services.rulebook import models as rulebook
from services.rulebook.terms import payment_rule, terms
from services.runtime.calendar import Term, WorkCalendar
from services.runtime.clock import legal_date, start_of_legal_day
from services.runtime.database import Transaction

PAID_MONTHLY: Final = Benefit.DIBAO
"""The benefit whose pay day is the pay day of the place."""


@dataclass(frozen=True)
class NewDeadline:
    """A deadline to be recorded. `due_at` is the first moment that is too late."""

    workflow_id: str
    kind: DeadlineKind
    subject: Subject | None
    place: str
    starts_at: datetime
    due_at: datetime
    waits_on: str
    reference: str = ""
    provisional: bool = False


async def record_item_waits(tx: Transaction, start: ItemStarted) -> Waits:
    """Record by when an accepted item must be investigated and decided. Recording again changes nothing."""
    subject, place = start.subject, start.subject.owner or start.subject.jurisdiction
    clocks = terms(start.benefit, place, legal_date(start.accepted_at))
    owed = {
        DeadlineKind.INVESTIGATE: clocks.investigate_by,
        DeadlineKind.DECIDE_PROMISED: clocks.promised_by,
        # Where a small sum may be given at once, the household is not kept waiting for the ordinary term.
        DeadlineKind.DECIDE: clocks.small_sum_paid_by or clocks.decide_by,
    }
    calendar = WorkCalendar.of(place)
    deadlines = [
        NewDeadline(
            workflow_id=item_workflow_id(_item_id(subject)), kind=kind, subject=subject, place=place,
            starts_at=start.accepted_at, due_at=calendar.due_at(start.accepted_at, _term(term)),
            waits_on=f"officer:{place}", provisional=calendar.is_provisional(start.accepted_at, _term(term)),
        )
        for kind, term in owed.items() if term is not None
    ]
    return await _waits(tx, await _record(tx, deadlines))


async def record_notice_wait(tx: Transaction, wait: NoticeWait) -> Waits:
    """Record when a public notice ends; no wake where the notice is superseded or the item has ended."""
    place = wait.subject.owner or wait.subject.jurisdiction
    return await _waits(tx, await _record(tx, [NewDeadline(
        workflow_id=item_workflow_id(_item_id(wait.subject)), kind=DeadlineKind.NOTICE_END, subject=wait.subject,
        place=place, starts_at=tx.clock.now, due_at=wait.ends_at, waits_on=f"public:{place}",
        reference=str(wait.decision_id),
    )]))


async def record_referral_wait(tx: Transaction, start: ReferralStarted) -> Waits:
    """Record by when a department must answer."""
    subject = start.subject
    await tx.lock_cases(subject.case_id)
    offered_at = await tx.driver.fetchval(
        "select offered_at from coordination.referrals where item_id = $1", subject.item_id
    )
    return await _waits(tx, await _record(tx, [NewDeadline(
        workflow_id=referral_workflow_id(_item_id(subject)), kind=DeadlineKind.ANSWER_REFERRAL, subject=subject,
        place=subject.owner or subject.jurisdiction, starts_at=offered_at, due_at=start.answer_by,
        waits_on=f"department:{start.department}",
    )]))


async def record_payment_wait(tx: Transaction, start: PaymentRunStarted) -> PaymentDay:
    """Record the first pay day of a place after a date."""
    pay_day = _pay_day_of(start.place, start.after)
    [row] = await _record(tx, [NewDeadline(
        workflow_id=payment_run_workflow_id(start.place), kind=DeadlineKind.PAY, subject=None, place=start.place,
        starts_at=tx.clock.now, due_at=start_of_legal_day(pay_day), waits_on=f"disbursement:{start.place}",
        reference=pay_day.replace(day=1).isoformat(),
    )])
    wake = Wake(deadline_id=row["deadline_id"], kind=DeadlineKind.PAY, wake_at=row["due_at"],
                elapsed_percent=DUE_PERCENT)
    return PaymentDay(wake=wake, pay_day=pay_day, period=pay_day.replace(day=1), leap=leap_of(tx.clock))


def _pay_day_of(place: str, after: date) -> date:
    return rules.next_pay_day(after, payment_rule(PAID_MONTHLY, place, after).pay_day)


def _item_id(subject: Subject) -> UUID:
    if subject.item_id is None:
        raise ValueError(f"Case {subject.case_id}: a wait of an item was asked for without the item's id.")
    return subject.item_id


def _term(term: rulebook.Term) -> Term:
    return Term(days=term.days, unit=term.unit)


async def _record(tx: Transaction, deadlines: Sequence[NewDeadline]) -> list[Any]:
    """Write what is new and return these deadlines as they are stored."""
    case_ids = {deadline.subject.case_id for deadline in deadlines if deadline.subject}
    await tx.lock_cases(*case_ids)
    told_leap = leap_of(tx.clock).number
    rows = [_row(deadline, told_leap) for deadline in deadlines]
    await bulk.insert(tx, "deadlines", rows)
    keys = [row["workflow_id"] for row in rows], [row["kind"] for row in rows], [row["reference"] for row in rows]
    stored: list[Any] = await tx.driver.fetch(
        "update coordination.deadlines as d set told_leap = $4 "
        "from unnest($1::text[], $2::text[], $3::text[]) as k (workflow_id, kind, reference) "
        "where d.workflow_id = k.workflow_id and d.kind = k.kind and d.reference = k.reference returning d.*",
        *keys, told_leap,
    )
    await bulk.insert(tx, "wakes", [
        {"deadline_id": row["deadline_id"], "elapsed_percent": moment.elapsed_percent, "wake_at": moment.wake_at}
        for row in stored
        for moment in rules.wake_moments(DeadlineKind(row["kind"]), row["starts_at"], row["due_at"])
    ])
    # What a deadline waits for may have happened before anyone recorded it.
    await settle_deadlines(tx, case_ids)
    return stored


def _row(deadline: NewDeadline, told_leap: int) -> dict[str, Any]:
    subject = deadline.subject
    return {
        "deadline_id": new_id(),
        "workflow_id": deadline.workflow_id,
        "kind": deadline.kind,
        "reference": deadline.reference,
        "case_id": subject.case_id if subject else None,
        "item_id": subject.item_id if subject else None,
        "jurisdiction": deadline.place,
        "owner": subject.owner if subject else None,
        "epoch": subject.epoch if subject else None,
        "starts_at": deadline.starts_at,
        "due_at": deadline.due_at,
        "provisional": deadline.provisional,
        "waits_on": deadline.waits_on,
        "state": DeadlineState.OPEN,
        "told_leap": told_leap,
    }


async def _waits(tx: Transaction, deadlines: Sequence[Any]) -> Waits:
    """The wakes of these deadlines that are still to come, in their order."""
    rows = await tx.driver.fetch(
        "select w.deadline_id, d.kind, w.wake_at, w.elapsed_percent "
        "from coordination.wakes w join coordination.deadlines d using (deadline_id) "
        "where w.deadline_id = any($1) and w.woken_at is null and d.state = 'open'",
        [row["deadline_id"] for row in deadlines],
    )
    wakes = [Wake(deadline_id=row["deadline_id"], kind=DeadlineKind(row["kind"]), wake_at=row["wake_at"],
                  elapsed_percent=row["elapsed_percent"]) for row in rows]
    return Waits(wakes=sorted(wakes, key=lambda wake: wake.order), leap=leap_of(tx.clock))
