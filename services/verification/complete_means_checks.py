"""Every question is over: report the check; and send on the evidence of each item that has all it needs."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

from sqlalchemy import or_, select
from sqlmodel import col

from contracts.benefits import Source
from contracts.envelope import Subject
from contracts.events.means_check import AnswerKind, MeansCheckCompleted, SourceResult
from contracts.events.verification import VerificationCompleted
from services.runtime.database import Transaction
from services.verification import rules
from services.verification.evidence_file import facts_on_file
from services.verification.models import (
    CheckState,
    MeansCheck,
    Query,
    QueryState,
    Verification,
    VerificationState,
    Visit,
    VisitState,
)

OPEN_STATES: Final = (QueryState.DUE, QueryState.ASKING, QueryState.ASKED, QueryState.WAITING)
TELLS: Final = (AnswerKind.DATA, AnswerKind.NO_RECORD)


def subject_of(check: MeansCheck) -> Subject:
    """A check is about the whole case."""
    return Subject(case_id=check.case_id, jurisdiction=check.jurisdiction)


async def complete_means_checks(tx: Transaction, case_ids: Collection[UUID]) -> None:
    """Report the checks of these cases, whose answers have just changed, where no question is open any more."""
    if not case_ids:
        return
    checks = await tx.session.scalars(
        select(MeansCheck).where(
            col(MeansCheck.case_id).in_(case_ids), col(MeansCheck.state).in_([CheckState.ASKING, CheckState.COMPLETED]))
        .execution_options(populate_existing=True)
    )
    results: dict[UUID, list[SourceResult]] = {}
    still_open: set[UUID] = set()
    standing = await tx.session.scalars(
        select(Query)
        .where(col(Query.case_id).in_(case_ids), col(Query.state).in_([*OPEN_STATES, QueryState.ANSWERED]))
        .order_by(col(Query.person_id), col(Query.source))
    )
    for query in standing:
        if query.state == QueryState.ANSWERED:
            results.setdefault(query.case_id, []).append(SourceResult(
                person_id=query.person_id, source=Source(query.source), kind=AnswerKind(query.kind), as_of=query.as_of))
        else:
            still_open.add(query.case_id)
    completed = [check for check in checks if check.case_id not in still_open]
    for check in completed:
        _complete(tx, check, results.get(check.case_id, []))
    await tx.session.flush()
    await complete_verifications(tx, [check.case_id for check in completed])


def _complete(tx: Transaction, check: MeansCheck, results: list[SourceResult]) -> None:
    check.state = CheckState.COMPLETED
    check.completed_at = tx.clock.now
    check.reports_count += 1
    event = MeansCheckCompleted(
        means_check_id=check.means_check_id, results=results,
        report_number=rules.report_number(check.jurisdiction, check.means_check_id, tx.clock.today,
                                          check.reports_count),
        complete=all(result.kind in TELLS for result in results),
    )
    tx.record(event, subject_of(check))


async def complete_verifications(tx: Transaction, case_ids: Collection[UUID], *, item_id: UUID | None = None) -> None:
    """Send the evidence about these cases' items (or only this one) as a new revision.

    An item is passed over until its check is over and its visit reported, where it needs them. What nobody could
    tell is left out and so stays unknown: approval says what is missing.
    """
    if not case_ids:
        return
    ready = (
        select(Verification, Visit)
        .outerjoin(MeansCheck, col(MeansCheck.case_id) == col(Verification.case_id))
        .outerjoin(Visit, col(Visit.visit_id) == col(Verification.visit_id))
        .where(
            col(Verification.case_id).in_(case_ids),
            col(Verification.state) != VerificationState.WITHDRAWN,
            or_(~col(Verification.needs_means_check), col(MeansCheck.state) == CheckState.COMPLETED),
            or_(col(Verification.visit_id).is_(None), col(Visit.state) == VisitState.REPORTED),
        )
    )
    if item_id is not None:
        ready = ready.where(col(Verification.item_id) == item_id)
    rows = list(await tx.session.execute(ready))
    on_file = await facts_on_file(tx, {verification.case_id for verification, _ in rows})
    for verification, visit in rows:
        facts = [fact for about, facts in on_file.get(verification.case_id, []) for fact in facts
                 if about is None or about == verification.item_id]
        verification.state = VerificationState.COMPLETED
        verification.revision += 1
        event = VerificationCompleted(
            verification_id=verification.verification_id, revision=verification.revision,
            facts=rules.standing_facts(facts), visited_on=visit.visited_on if visit else None,
            visit_report_sha256=visit.report_sha256 if visit else None,
        )
        tx.record(event, Subject(case_id=verification.case_id, item_id=verification.item_id,
                                 jurisdiction=verification.jurisdiction, owner=verification.jurisdiction,
                                 epoch=verification.epoch))
    await tx.session.flush()
