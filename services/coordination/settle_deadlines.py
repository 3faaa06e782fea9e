"""Deadlines end by what happened, judged by its legal date and never by when we heard of it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from contracts.envelope import Subject
from contracts.events.deadline import DeadlineKind, DeadlinePassed
from services.coordination import rules
from services.coordination.case_facts import cases_of, items_of, referrals_of
from services.coordination.models import DeadlineState
from services.coordination.timeline import tell
from services.runtime.database import Transaction


async def settle_deadlines(tx: Transaction, case_ids: Collection[UUID]) -> None:
    """Meet the deadlines of these locked cases by what is known of them; what came too late is said."""
    if not case_ids:
        return
    owed: list[Any] = await tx.driver.fetch(
        "select * from coordination.deadlines where case_id = any($1) and met_at is null", list(case_ids)
    )
    if not owed:
        return
    waiting = {row["case_id"] for row in owed}
    items = {item.item_id: item for item in await items_of(tx, waiting)}
    visited = {case.case_id: case.visited_at for case in await cases_of(tx, waiting)}
    answered = {referral.item_id: referral.answered_at for referral in await referrals_of(tx, waiting)}
    for row in owed:
        kind, item_id = DeadlineKind(row["kind"]), row["item_id"]
        if kind is DeadlineKind.ANSWER_REFERRAL:
            met = answered[item_id]
        else:
            met = rules.met_at(kind, row["reference"], items[item_id], visited.get(row["case_id"]))
        if met is not None:
            await meet(tx, row, met)


async def meet(tx: Transaction, row: Any, met: datetime) -> None:
    """What a deadline waited for happened at `met`. Came it too late before anyone woke, the deadline passes now."""
    kind = DeadlineKind(row["kind"])
    if row["state"] == DeadlineState.OPEN and not rules.in_time(kind, met, row["due_at"]):
        await pass_deadline(tx, row)
    await tx.driver.execute(
        "update coordination.deadlines set met_at = $2, "
        "state = case when state = 'open' then 'met' else state end where deadline_id = $1",
        row["deadline_id"], met,
    )


async def pass_deadline(tx: Transaction, row: Any) -> None:
    """Too late: said once, and told to the level above. The wait goes on."""
    place = row["owner"] or row["jurisdiction"]
    event = DeadlinePassed(deadline_id=row["deadline_id"], kind=DeadlineKind(row["kind"]), due_at=row["due_at"],
                           waits_on=row["waits_on"], escalated_to=rules.escalated_to(place))
    await tell(tx, event, subject_of(row))
    await tx.driver.execute(
        "update coordination.deadlines set state = 'passed' where deadline_id = $1", row["deadline_id"]
    )


def subject_of(row: Any) -> Subject:
    """What a deadline's events are about. Only those of a case have events."""
    return Subject(case_id=row["case_id"], item_id=row["item_id"], jurisdiction=row["jurisdiction"],
                   owner=row["owner"], epoch=row["epoch"])
