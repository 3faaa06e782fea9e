"""What officers bring: the signed report of a visit, and findings given after it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from contracts.envelope import Subject
from contracts.events.visit import VisitReported
from contracts.http.casework import Finding, ReportVisit
from services.runtime.clock import legal_date
from services.runtime.database import Transaction
from services.runtime.problems import FieldError, Problem
from services.verification import rules
from services.verification.complete_means_checks import complete_verifications
from services.verification.evidence_file import EvidenceOf, file_evidence
from services.verification.models import (
    EvidenceKind,
    Member,
    Verification,
    VerificationState,
    Visit,
    VisitState,
)


async def report_visit(tx: Transaction, visit: Visit, report: ReportVisit, signer: str) -> UUID:
    """Put a signed visit report on file, once, and send on the evidence it completes; return the visit's id.

    Raises Problem 409 for a visit reported or cancelled before, 422 for a report that cannot be right.
    """
    await tx.lock_cases(visit.case_id)
    visit = (await tx.session.scalars(select(Visit).where(col(Visit.visit_id) == visit.visit_id))).one()
    if visit.state != VisitState.ORDERED:
        raise Problem(409, f"visit_{visit.state}", f"Visit {visit.visit_id}: already {visit.state}. "
                      "Give what is new as a finding: POST /items/{item_id}/findings.")
    members = await _members(tx, visit.case_id)
    refuse_invalid(rules.check_report(report, signer=signer, ordered_on=legal_date(visit.ordered_at),
                                      today=tx.clock.today, members=members))
    [filed] = await file_evidence(tx, [EvidenceOf(
        case_id=visit.case_id, item_id=None, jurisdiction=visit.jurisdiction, kind=EvidenceKind.VISIT_REPORT,
        signer=signer, content={"visit_id": str(visit.visit_id), "report": report.model_dump(mode="json")},
        facts=[rules.found(finding, members) for finding in report.findings],
    )])
    visit.state = VisitState.REPORTED
    visit.visited_on = report.visited_on
    visit.reported_at = tx.clock.now
    visit.report_sha256 = filed.sha256
    await tx.session.flush()
    event = VisitReported(visit_id=visit.visit_id, visited_on=report.visited_on, reported_at=tx.clock.now,
                          investigators=report.investigators, report_sha256=filed.sha256)
    tx.record(event, Subject(case_id=visit.case_id, item_id=visit.item_id, jurisdiction=visit.jurisdiction))
    await complete_verifications(tx, [visit.case_id])
    return visit.visit_id


async def record_findings(tx: Transaction, verification: Verification, findings: list[Finding], signer: str) -> UUID:
    """Put an officer's findings about one item on file and send its evidence as a new revision.

    Returns the id of the piece of evidence. Raises Problem 409 for a withdrawn item, 422 for findings that cannot
    be right.
    """
    await tx.lock_cases(verification.case_id)
    state = await tx.session.scalar(
        select(col(Verification.state)).where(col(Verification.item_id) == verification.item_id))
    if state == VerificationState.WITHDRAWN:
        raise Problem(409, "item_withdrawn", f"Item {verification.item_id} was withdrawn: nothing more is recorded.")
    members = await _members(tx, verification.case_id)
    refuse_invalid(rules.check_findings(findings, members, tx.clock.today))
    [filed] = await file_evidence(tx, [EvidenceOf(
        case_id=verification.case_id, item_id=verification.item_id, jurisdiction=verification.jurisdiction,
        kind=EvidenceKind.FINDING, signer=signer,
        content={"findings": [finding.model_dump(mode="json") for finding in findings]},
        facts=[rules.found(finding, members) for finding in findings],
    )])
    await complete_verifications(tx, [verification.case_id], item_id=verification.item_id)
    return filed.evidence_id


def refuse_invalid(wrong: list[rules.NotValid]) -> None:
    """Raise Problem 422 that names every field at fault, where there is one."""
    if not wrong:
        return
    fields = ", ".join(dict.fromkeys(fault.field for fault in wrong))
    raise Problem(422, "not_valid", f"Not valid: {fields}. Nothing was stored; correct these and send again.",
                  [FieldError(field=fault.field, message=fault.message) for fault in wrong])


async def _members(tx: Transaction, case_id: UUID) -> set[UUID]:
    return set(await tx.session.scalars(select(col(Member.person_id)).where(col(Member.case_id) == case_id)))
