"""What verification shows of a case, and of the visits of a place. No identifiers and no figures."""

from __future__ import annotations

from datetime import date
from typing import Final
from uuid import UUID

from pydantic import AwareDatetime, Field
from sqlalchemy import ColumnElement, select
from sqlmodel import col

from contracts.http.message import Answer
from services.runtime.database import Transaction
from services.runtime.problems import Problem
from services.verification.models import (
    MeansCheck,
    Member,
    Query,
    QueryState,
    Verification,
    Visit,
    VisitState,
)

VISITS_MAX: Final = 500


class VisitView(Answer):
    """A visit as officers see it."""

    visit_id: UUID
    case_id: UUID
    item_id: UUID
    area: str
    performed_by: str
    findings_wanted: list[str]
    person_ids: list[UUID]
    """The household: a finding about a person names one of them."""
    state: str
    ordered_at: AwareDatetime
    visited_on: date | None
    reported_at: AwareDatetime | None
    report_sha256: str | None


class Visits(Answer):
    """`GET /visits`."""

    visits: list[VisitView]
    more: bool = Field(description="True where not all are shown: ask for a smaller place.")


class QuestionView(Answer):
    """One question to one source. `kind` is one of the four answers; None while there is none."""

    person_id: UUID
    source: str
    state: str
    kind: str | None
    reason: str | None
    as_of: AwareDatetime | None
    waiting_since: AwareDatetime | None
    ask_again_at: AwareDatetime | None
    """Legal time of the next try, where it waits on its source; `reason` says why."""
    asked_at: AwareDatetime | None
    answered_at: AwareDatetime | None


class MeansCheckView(Answer):
    """A means check, question by question."""

    means_check_id: UUID
    state: str
    sources: list[str]
    opened_at: AwareDatetime
    started_at: AwareDatetime | None
    completed_at: AwareDatetime | None
    questions: list[QuestionView]


class VerificationView(Answer):
    """How far the evidence about one item is."""

    verification_id: UUID
    item_id: UUID
    benefit: str
    state: str
    revision: int


class CaseView(Answer):
    """Verification's part of a case."""

    case_id: UUID
    means_check: MeansCheckView | None
    visits: list[VisitView]
    verifications: list[VerificationView]


async def view_case(tx: Transaction, case_id: UUID) -> CaseView:
    """The case as far as the transaction's jurisdiction may see it. Raises Problem 404 where that is nothing."""
    verifications = list(await tx.session.scalars(
        select(Verification).where(col(Verification.case_id) == case_id).order_by(col(Verification.verification_id))))
    if not verifications:
        raise Problem(404, "case_not_found", f"Case {case_id}: nothing is verified for it within your jurisdiction.")
    check = (await tx.session.scalars(select(MeansCheck).where(col(MeansCheck.case_id) == case_id))).one_or_none()
    return CaseView(
        case_id=case_id,
        means_check=await _view_check(tx, check) if check else None,
        visits=await _view_visits(tx, col(Visit.case_id) == case_id),
        verifications=[VerificationView.model_validate(item.model_dump()) for item in verifications],
    )


async def list_visits(tx: Transaction, jurisdiction: str) -> Visits:
    """The visits that the officers of a place (a code prefix) are to make, then those they made last."""
    visits = await _view_visits(tx, col(Visit.jurisdiction).startswith(jurisdiction, autoescape=True))
    return Visits(visits=visits[:VISITS_MAX], more=len(visits) > VISITS_MAX)


async def _view_check(tx: Transaction, check: MeansCheck) -> MeansCheckView:
    questions = await tx.session.scalars(
        select(Query)
        .where(col(Query.means_check_id) == check.means_check_id, col(Query.state) != QueryState.SUPERSEDED)
        .order_by(col(Query.person_id), col(Query.source), col(Query.query_id)))
    return MeansCheckView.model_validate(
        {**check.model_dump(), "questions": [QuestionView.model_validate(question.model_dump())
                                             for question in questions]})


async def _view_visits(tx: Transaction, which: ColumnElement[bool]) -> list[VisitView]:
    visits = list(await tx.session.scalars(
        select(Visit).where(which)
        .order_by(col(Visit.state) != VisitState.ORDERED, col(Visit.reported_at).desc().nulls_first(),
                  col(Visit.ordered_at), col(Visit.visit_id))
        .limit(VISITS_MAX + 1)))
    persons: dict[UUID, list[UUID]] = {}
    members = select(Member).where(col(Member.case_id).in_([visit.case_id for visit in visits]))
    for member in await tx.session.scalars(members.order_by(col(Member.person_id))):
        persons.setdefault(member.case_id, []).append(member.person_id)
    return [
        VisitView.model_validate({**visit.model_dump(), "performed_by": visit.jurisdiction,
                                  "person_ids": persons.get(visit.case_id, [])})
        for visit in visits
    ]
