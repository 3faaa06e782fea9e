"""An item was accepted: open the household's means check, order a visit, keep what was declared."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from contracts.envelope import EventEnvelope, Subject, new_id
from contracts.events.item import ItemAccepted
from contracts.events.visit import VisitOrdered
from services.runtime.database import Transaction
from services.verification import rules
from services.verification.complete_means_checks import complete_verifications
from services.verification.evidence_file import EvidenceOf, file_evidence
from services.verification.models import (
    CheckState,
    EvidenceKind,
    MeansCheck,
    Member,
    Verification,
    VerificationState,
    Visit,
    VisitState,
)
from services.verification.start_means_checks import report_opened, start_means_checks

HOUSEHOLD = "household"
Accepted = EventEnvelope[ItemAccepted]


async def open_means_checks(tx: Transaction, accepted: Sequence[Accepted]) -> None:
    """Open or widen one check per case, and per item a verification with its visit. At most one item per case."""
    checked = [envelope for envelope in accepted if envelope.data.needs_verification]
    if not checked:
        return
    needs = {envelope.case_id: _needs(envelope) for envelope in checked}
    grown = await _keep_members(tx, checked)
    visits = await _visits(tx, checked, needs)
    await _keep_items(tx, checked, needs, visits)
    to_ask = [envelope for envelope in checked if needs[envelope.case_id].sources]
    await report_opened(tx, await _open_or_widen(tx, to_ask, needs, grown))
    await start_means_checks(tx, [envelope.case_id for envelope in to_ask])
    for envelope in checked:
        if not needs[envelope.case_id].sources and not needs[envelope.case_id].visit:
            await complete_verifications(tx, [envelope.case_id], item_id=envelope.item_id)


def owner_of(envelope: Accepted) -> str:
    """The place that decides the item."""
    return envelope.subject.owner or envelope.subject.jurisdiction


def _needs(envelope: Accepted) -> rules.Needs:
    return rules.needs(envelope.data, owner_of(envelope), envelope.rule_date)


async def _keep_members(tx: Transaction, accepted: Sequence[Accepted]) -> set[UUID]:
    """Keep who lives there; return the cases with a member that was not known before."""
    rows = [
        {"case_id": envelope.case_id, "person_id": member.person_id, "jurisdiction": owner_of(envelope),
         "is_adult": member.is_adult}
        for envelope in accepted
        for member in envelope.data.members
    ]
    new = insert(Member).on_conflict_do_nothing().returning(col(Member.case_id))
    return set(await tx.session.scalars(new, rows))


async def _visits(tx: Transaction, accepted: Sequence[Accepted], needs: dict[UUID, rules.Needs]) -> dict[UUID, UUID]:
    """Item → its visit. A household is not visited twice: an item joins the visit that is still ordered."""
    rows = await tx.session.scalars(
        select(Visit).where(col(Visit.case_id).in_(needs), col(Visit.state) == VisitState.ORDERED)
    )
    ordered = {(visit.case_id, visit.jurisdiction): visit for visit in rows}
    visits: dict[UUID, UUID] = {}
    for envelope in accepted:
        if not needs[envelope.case_id].visit:
            continue
        place = rules.visiting_place(owner_of(envelope),
                                     near_relative_of_officer=envelope.data.near_relative_of_officer)
        visit = ordered.get((envelope.case_id, place))
        wanted = needs[envelope.case_id].findings_wanted
        if visit is None:
            visit = Visit(visit_id=new_id(), case_id=envelope.case_id, item_id=envelope.item_id, jurisdiction=place,
                          area=envelope.data.living_area, findings_wanted=list(wanted), state=VisitState.ORDERED,
                          ordered_at=tx.clock.now)
            tx.session.add(visit)
            _report_ordered(tx, visit)
        elif not set(wanted) <= set(visit.findings_wanted):
            visit.findings_wanted = [*dict.fromkeys([*visit.findings_wanted, *wanted])]
            _report_ordered(tx, visit)
        visits[envelope.item_id] = visit.visit_id
    await tx.session.flush()
    return visits


def _report_ordered(tx: Transaction, visit: Visit) -> None:
    event = VisitOrdered(visit_id=visit.visit_id, area=visit.area, performed_by=visit.jurisdiction,
                         findings_wanted=visit.findings_wanted)
    tx.record(event, Subject(case_id=visit.case_id, item_id=visit.item_id, jurisdiction=visit.jurisdiction))


async def _keep_items(tx: Transaction, accepted: Sequence[Accepted], needs: dict[UUID, rules.Needs],
                      visits: dict[UUID, UUID]) -> None:
    rows = [
        {"verification_id": new_id(), "case_id": envelope.case_id, "item_id": envelope.item_id,
         "jurisdiction": owner_of(envelope), "epoch": envelope.subject.epoch or 1, "benefit": envelope.data.benefit,
         "needs_means_check": bool(needs[envelope.case_id].sources), "visit_id": visits.get(envelope.item_id),
         "state": VerificationState.GATHERING, "revision": 0}
        for envelope in accepted
    ]
    await tx.session.execute(insert(Verification), rows)
    await file_evidence(tx, [
        EvidenceOf(
            case_id=envelope.case_id, item_id=envelope.item_id, jurisdiction=owner_of(envelope),
            kind=EvidenceKind.DECLARATION, signer=HOUSEHOLD,
            content={"application_id": str(envelope.data.application_id),
                     "submitted_at": envelope.data.submitted_at.isoformat()},
            facts=[*envelope.data.household_facts,
                   *(fact for member in envelope.data.members for fact in member.facts)],
        )
        for envelope in accepted
    ])


async def _open_or_widen(tx: Transaction, accepted: Sequence[Accepted], needs: dict[UUID, rules.Needs],
                         grown: set[UUID]) -> list[UUID]:
    """Open a check per case; a new member or source opens the one there is again. Return the cases of both."""
    known = {check.case_id: check for check in await tx.session.scalars(
        select(MeansCheck).where(col(MeansCheck.case_id).in_(needs)))}
    opened: list[UUID] = []
    for envelope in accepted:
        sources = {str(source) for source in needs[envelope.case_id].sources}
        of_child = {str(source) for source in needs[envelope.case_id].child_sources}
        check = known.get(envelope.case_id)
        if check is None:
            check = MeansCheck(
                means_check_id=new_id(), case_id=envelope.case_id, jurisdiction=owner_of(envelope),
                state=CheckState.AWAITING_AUTHORISATION, sources=sorted(sources), child_sources=sorted(of_child),
                opened_at=tx.clock.now,
            )
            tx.session.add(check)
        elif (envelope.case_id in grown or not sources.issubset(check.sources)
              or not of_child.issubset(check.child_sources) or check.state == CheckState.STOPPED):
            check.sources = sorted(sources.union(check.sources))
            check.child_sources = sorted(of_child.union(check.child_sources))
            check.state = CheckState.AWAITING_AUTHORISATION
        else:
            continue
        opened.append(envelope.case_id)
    await tx.session.flush()
    return opened
