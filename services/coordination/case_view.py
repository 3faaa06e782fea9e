"""A case as officers and operators see it: stage of every item, timeline, deadlines, tasks, referrals, result."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from contracts.events.case import ItemResult
from contracts.http.casework import Task
from contracts.processes import Stage
from services.coordination import rules
from services.coordination.case_facts import cases_of, deadlines_of, items_of, referrals_of
from services.coordination.tasks import open_tasks_of
from services.runtime.database import Transaction
from services.runtime.problems import Problem


class ItemView(BaseModel):
    """An item and how far it is."""

    item_id: UUID
    benefit: str | None
    owner: str | None
    epoch: int | None
    stage: Stage
    accepted_at: datetime | None
    amount_fen: int | None


class TimelineEntry(BaseModel):
    """One event of the case."""

    event_id: UUID
    type: str
    legal_time: datetime
    item_id: UUID | None


class DeadlineView(BaseModel):
    """A moment by which something must have happened."""

    deadline_id: UUID
    item_id: UUID | None
    kind: str
    due_at: datetime
    provisional: bool
    waits_on: str
    state: str
    met_at: datetime | None
    workflow_gone_at: datetime | None
    """Since then nobody acts on its moments: its workflow failed or was lost. For an operator."""


class ReferralView(BaseModel):
    """An item at another department."""

    item_id: UUID
    because_item_id: UUID
    department: str
    benefit: str
    from_month: date
    answer_by: datetime
    offered_at: datetime
    received_at: datetime | None
    answer: str | None
    answered_at: datetime | None
    amount_fen_month: int | None


class CaseView(BaseModel):
    """The whole matter, as far as coordination knows it."""

    case_id: UUID
    submitted_at: datetime | None
    concluded_at: datetime | None
    results: list[ItemResult]
    items: list[ItemView]
    timeline: list[TimelineEntry]
    deadlines: list[DeadlineView]
    tasks: list[Task]
    referrals: list[ReferralView]


async def view_case(tx: Transaction, case_id: UUID) -> CaseView:
    """What may be seen of a case from the transaction's jurisdiction. Raises Problem 404 where that is nothing."""
    items = await items_of(tx, [case_id])
    case = next(iter(await cases_of(tx, [case_id])), None)
    if case is None and not items:
        raise Problem(404, "case_unknown", f"Case {case_id}: not known here, or outside your jurisdiction.")
    results = [ItemResult.model_validate(result) for result in (case.results or [] if case else [])]
    return CaseView(
        case_id=case_id,
        submitted_at=case.submitted_at if case else None,
        concluded_at=case.concluded_at if case and rules.lists_all(results, items) else None,
        results=results,
        items=[_item_view(item) for item in items],
        timeline=await _timeline(tx, case_id),
        deadlines=await view_deadlines(tx, case_id),
        tasks=await open_tasks_of(tx, case_id=case_id),
        referrals=await view_referrals(tx, case_id),
    )


async def view_deadlines(tx: Transaction, case_id: UUID) -> list[DeadlineView]:
    """Every deadline of a case, the earliest first."""
    return [DeadlineView.model_validate(dict(row)) for row in await deadlines_of(tx, [case_id])]


async def view_referrals(tx: Transaction, case_id: UUID) -> list[ReferralView]:
    """Every referral of a case."""
    return [ReferralView.model_validate(dict(row)) for row in await referrals_of(tx, [case_id])]


def _item_view(item: Any) -> ItemView:
    return ItemView.model_validate({**dict(item), "stage": rules.stage(item)})


async def _timeline(tx: Transaction, case_id: UUID) -> list[TimelineEntry]:
    rows = await tx.driver.fetch(
        "select event_id, type, legal_time, item_id from coordination.timeline where case_id = $1 "
        "order by legal_time, event_id",
        case_id,
    )
    return [TimelineEntry.model_validate(dict(row)) for row in rows]
