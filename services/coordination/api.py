"""Asking coordination: task lists, deadlines, cases, referrals; and the departments' answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel

from contracts.http.casework import AnswerReferral, Recorded, TaskKind, TaskList
from services.coordination import case_view
from services.coordination.answer_referral import answer_referral
from services.coordination.follow_leaps import next_wake
from services.coordination.tasks import TASKS_MAX, open_tasks_of
from services.runtime.context import Runtime
from services.runtime.http import Caller, get_runtime, require
from services.runtime.problems import Problem

router = APIRouter()

Process = Annotated[Runtime, Depends(get_runtime)]
Reader = Annotated[Caller, Depends(require("officer", "investigator", "operator"))]


class NextDeadline(BaseModel):
    """When a workflow has something to do next."""

    at: datetime | None


@router.get("/tasks")
async def list_tasks(
    runtime: Process,
    caller: Reader,
    jurisdiction: Annotated[str | None, Query(pattern=r"^\d{4,12}$")] = None,
    kind: TaskKind | None = None,
) -> TaskList:
    """待办事项 Open tasks of a place and all it covers, the most urgent first."""
    place = jurisdiction or caller.jurisdiction or ""
    if not caller.may_see(place):
        raise Problem(403, "other_jurisdiction", f"Place {place or 'everywhere'} lies outside your jurisdiction. "
                      "Ask for tasks of your own place.")
    # Hazard: everywhere, because a visit may be for an item another district decides. The place asked for is
    # checked above, and a task tells no more of such an item than its benefit.
    async with runtime.database.transaction() as tx:
        tasks = await open_tasks_of(tx, jurisdiction=place, kind=kind)
    return TaskList(tasks=tasks[:TASKS_MAX], more=len(tasks) > TASKS_MAX)


@router.get("/deadlines/next")
async def next_deadline(
    runtime: Process,
    _caller: Annotated[Caller, Depends(require("keeper", "operator", "service"))],
) -> NextDeadline:
    """下一个时限 The earliest moment at which a workflow has something to do, pay days included."""
    async with runtime.database.transaction() as tx:
        return NextDeadline(at=await next_wake(tx))


@router.get("/deadlines")
async def list_deadlines(runtime: Process, caller: Reader, case_id: UUID) -> list[case_view.DeadlineView]:
    """时限 Every deadline of a case, the earliest first."""
    async with runtime.database.transaction(caller.scope) as tx:
        return await case_view.view_deadlines(tx, case_id)


@router.get("/cases/{case_id}")
async def show_case(runtime: Process, caller: Reader, case_id: UUID) -> case_view.CaseView:
    """办件全貌 The whole matter: stages, timeline, deadlines, tasks, referrals, closing notice."""
    async with runtime.database.transaction(caller.scope) as tx:
        return await case_view.view_case(tx, case_id)


@router.get("/referrals")
async def list_referrals(runtime: Process, caller: Reader, case_id: UUID) -> list[case_view.ReferralView]:
    """转介 Every referral of a case."""
    async with runtime.database.transaction(caller.scope) as tx:
        return await case_view.view_referrals(tx, case_id)


@router.post("/departments/{department}/referrals/{item_id}/answers", status_code=201)
async def take_answer(
    runtime: Process,
    caller: Annotated[Caller, Depends(require("department"))],
    department: Annotated[str, Path(pattern=r"^[a-z_]{1,40}$")],
    item_id: UUID,
    answer: AnswerReferral,
) -> Recorded:
    """部门答复 A department answers a referral; the same answer again is fine."""
    if caller.department != department:
        raise Problem(403, "other_department", f"You answer for another department than {department}.")
    async with runtime.database.transaction() as tx:
        await answer_referral(tx, department, item_id, answer)
    return Recorded(id=item_id)
