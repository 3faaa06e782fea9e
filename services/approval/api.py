"""HTTP of approval: officers confirm and read, anyone reads public notices."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends, Query
from pydantic import Field

from contracts.http.casework import ConfirmSmallSum, DecisionView
from contracts.http.message import Answer, Command
from services.approval import rules, views
from services.approval.confirm_decision import confirm_decision
from services.approval.small_sums import give_small_sum
from services.runtime.context import Runtime
from services.runtime.http import Caller, Problem, get_runtime, require

log = structlog.get_logger(__name__)
router = APIRouter(tags=["approval"])

RuntimeOfRequest = Annotated[Runtime, Depends(get_runtime)]
SigningOfficer = Annotated[Caller, Depends(require("officer"))]
Reader = Annotated[Caller, Depends(require("officer", "operator"))]
Place = Annotated[str, Query(pattern="^[0-9]{4,12}$", description="Area code, or the beginning of one.")]


class NoBody(Command):
    """A command that says everything in its address."""


class ConfirmDecisions(Command):
    """`POST /decisions/confirm`: many at once, each on its own."""

    decision_ids: Annotated[list[UUID], Field(min_length=1, max_length=200)]


class ConfirmResult(Answer):
    """What became of one decision of a list: the decision, or why not."""

    decision_id: UUID
    confirmed: bool
    code: str | None = None
    detail: str | None = None
    decision: DecisionView | None = None


class ConfirmResults(Answer):
    """In the order of the list."""

    results: list[ConfirmResult]


@router.post("/decisions/confirm")
async def confirm_many(command: ConfirmDecisions, caller: SigningOfficer, runtime: RuntimeOfRequest) -> ConfirmResults:
    """Confirm up to 200 decisions, each in its own transaction: one that is refused holds up no other."""
    results: list[ConfirmResult] = []
    for decision_id in command.decision_ids:
        try:
            decision = await _confirm(runtime, caller, decision_id)
        except Problem as problem:
            results.append(ConfirmResult(decision_id=decision_id, confirmed=False, code=problem.code,
                                         detail=problem.detail))
        else:
            results.append(ConfirmResult(decision_id=decision_id, confirmed=True, decision=decision))
    return ConfirmResults(results=results)


@router.post("/decisions/{decision_id}/confirm")
async def confirm_one(
    decision_id: UUID, caller: SigningOfficer, runtime: RuntimeOfRequest, _command: NoBody | None = None
) -> DecisionView:
    """Confirm a proposed decision whose public notice has ended. Once more by the same officer: the same answer."""
    return await _confirm(runtime, caller, decision_id)


@router.post("/items/{item_id}/small-sum")
async def give_small_sum_at_once(
    item_id: UUID, command: ConfirmSmallSum, caller: SigningOfficer, runtime: RuntimeOfRequest
) -> DecisionView:
    """Give a small sum at once for an item that is not decided yet (小额快救)."""
    # The officer of the place where they live may sign for another office's item: the rules decide, not the scope.
    async with runtime.database.transaction() as tx:
        return views.decision_view(await give_small_sum(tx, item_id, _officer(caller), command))


@router.get("/decisions/{decision_id}")
async def decision(decision_id: UUID, caller: Reader, runtime: RuntimeOfRequest) -> DecisionView:
    """A decision with its explanation: each figure's document, date and clause, and whether that was verified."""
    log.info("decision.read", decision_id=str(decision_id), reader=caller.subject, purpose=caller.purpose)
    async with runtime.database.transaction(caller.scope) as tx:
        return await views.read_decision(tx, decision_id)


@router.get("/items/{item_id}")
async def item(item_id: UUID, caller: Reader, runtime: RuntimeOfRequest) -> views.ItemView:
    """Where an item stands, with every decision made about it."""
    log.info("item.read", item_id=str(item_id), reader=caller.subject, purpose=caller.purpose)
    async with runtime.database.transaction(caller.scope) as tx:
        return await views.read_item(tx, item_id)


@router.get("/cases/{case_id}")
async def case(case_id: UUID, caller: Reader, runtime: RuntimeOfRequest) -> views.CaseView:
    """Approval's part of a case."""
    log.info("case.read", case_id=str(case_id), reader=caller.subject, purpose=caller.purpose)
    async with runtime.database.transaction(caller.scope) as tx:
        return await views.read_case(tx, case_id)


@router.get("/notices")
async def notices(jurisdiction: Place, runtime: RuntimeOfRequest) -> views.NoticeList:
    """Public notices posted in a place today (公示). For everyone: no token is asked."""
    async with runtime.database.transaction() as tx:
        return await views.read_notices(tx, jurisdiction)


async def _confirm(runtime: Runtime, caller: Caller, decision_id: UUID) -> DecisionView:
    async with runtime.database.transaction(caller.scope) as tx:
        return views.decision_view(await confirm_decision(tx, decision_id, _officer(caller)))


def _officer(caller: Caller) -> rules.Officer:
    return rules.Officer(caller.subject, caller.scope)
