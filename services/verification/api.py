"""HTTP of verification: visits and findings from officers, late answers from data sources, the file of a case."""

from __future__ import annotations

from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from sqlalchemy import Select, select
from sqlmodel import SQLModel, col

from contracts.benefits import Source
from contracts.http.casework import Recorded, RecordFindings, ReportVisit
from contracts.http.source import AnswersTaken, SourceAnswers
from contracts.http.waits import Waits
from services.runtime.context import Runtime
from services.runtime.http import Caller, Problem, get_runtime, require
from services.verification.ask_again import ask_again
from services.verification.case_view import CaseView, Visits, list_visits, view_case
from services.verification.models import MeansCheck, Verification, Visit
from services.verification.recorded_waits import view_waits
from services.verification.report_visit import record_findings, refuse_invalid, report_visit
from services.verification.rules import NotValid
from services.verification.source_data import check_answer
from services.verification.take_answers import Given, one_each, take_answers

router = APIRouter(tags=["verification"])

Process = Annotated[Runtime, Depends(get_runtime)]
Officer = Annotated[Caller, Depends(require("officer", "investigator"))]
Reader = Annotated[Caller, Depends(require("officer", "investigator", "operator"))]
SourceCaller = Annotated[Caller, Depends(require("actor"))]
Place = Annotated[str, Query(pattern=r"^\d{2,12}$", description="Code prefix of a place.")]
RowT = TypeVar("RowT", bound=SQLModel)


@router.get("/visits")
async def get_visits(runtime: Process, caller: Reader, jurisdiction: Place) -> Visits:
    """Visits that the officers of a place are to make or have made."""
    async with runtime.database.transaction(caller.scope) as tx:
        return await list_visits(tx, jurisdiction)


@router.post("/visits/{visit_id}/report", status_code=201)
async def post_visit_report(runtime: Process, caller: Officer, visit_id: UUID, report: ReportVisit) -> Recorded:
    """Report a visit, signed by the caller as one of at least two investigators."""
    visit = await _seen(runtime, caller, select(Visit).where(col(Visit.visit_id) == visit_id))
    async with runtime.database.transaction() as tx:
        return Recorded(id=await report_visit(tx, visit, report, caller.subject))


@router.post("/items/{item_id}/findings", status_code=201)
async def post_findings(runtime: Process, caller: Officer, item_id: UUID, body: RecordFindings) -> Recorded:
    """Give findings about an item, signed by the caller, each with the document it relies on."""
    verification = await _seen(runtime, caller, select(Verification).where(col(Verification.item_id) == item_id))
    async with runtime.database.transaction() as tx:
        return Recorded(id=await record_findings(tx, verification, body.findings, caller.subject))


@router.post("/means-checks/{means_check_id}/ask-again", status_code=202)
async def post_ask_again(runtime: Process, caller: Officer, means_check_id: UUID) -> Recorded:
    """Ask the sources again that gave no answer, refused, or have not answered yet."""
    check = await _seen(runtime, caller, select(MeansCheck).where(col(MeansCheck.means_check_id) == means_check_id))
    async with runtime.database.transaction() as tx:
        await ask_again(tx, check)
    return Recorded(id=means_check_id)


@router.post("/sources/{source}/answers")
async def post_source_answers(runtime: Process, caller: SourceCaller, source: Source,
                              body: SourceAnswers) -> AnswersTaken:
    """Take answers that a data source gives later than it was asked."""
    if caller.subject != f"actor:source:{source}":
        raise Problem(403, "not_this_source", f"Answers of {source} are taken from {source} itself only.")
    async with runtime.database.transaction() as tx:
        refuse_invalid([
            NotValid(f"answers.{number}.{wrong.field}", wrong.message)
            for number, answer in enumerate(body.answers)
            for wrong in check_answer(source, answer, tx.clock.now)
        ])
        each, contradicted = one_each(body.answers)
        refuse_invalid([
            NotValid(f"answers.{number}.query_id", "This question is answered in two ways; send the one that holds.")
            for number, answer in enumerate(body.answers) if answer.query_id in contradicted
        ])
        taken = await take_answers(tx, source, {query_id: Given(answer) for query_id, answer in each.items()})
    return AnswersTaken(taken=taken)


@router.get("/waits")
async def get_waits(runtime: Process, caller: Reader) -> Waits:
    """What waits on data sources: which, since when, why, until when, and how many cases."""
    async with runtime.database.transaction(caller.scope) as tx:
        return Waits(waits=await view_waits(tx), circuits=runtime.breakers.not_closed())


@router.get("/cases/{case_id}")
async def get_case(runtime: Process, caller: Reader, case_id: UUID) -> CaseView:
    """Verification's part of a case, without identifiers and without figures."""
    async with runtime.database.transaction(caller.scope) as tx:
        return await view_case(tx, case_id)


async def _seen(runtime: Runtime, caller: Caller, query: Select[RowT]) -> RowT:
    """The row, if it lies within the caller's jurisdiction; else Problem 404, as for one that does not exist.

    Hazard: this is the check of access. What follows works on the whole case, whose other items may have other
    owners, and so sees every place.
    """
    async with runtime.database.transaction(caller.scope) as tx:
        row = (await tx.session.scalars(query)).one_or_none()
    if row is None:
        raise Problem(404, "not_found", "There is none with this id within your jurisdiction. Check the id.")
    return row
