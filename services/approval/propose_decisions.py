"""Proposing decisions: the rulebook applied to the evidence of a whole batch at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select, insert, select, update
from sqlalchemy.dialects import postgresql
from sqlmodel import col

from contracts.envelope import EventEnvelope, new_id
from contracts.events.decision import DecisionEvidenceMissing, DecisionProposed, Outcome, Period
from contracts.events.public_notice import PublicNoticeOpened
from contracts.events.verification import VerificationCompleted
from services import rulebook
from services.approval import rules
from services.approval.explanations import Explanation, of_assessment
from services.approval.models import (
    DecisionRow,
    DecisionState,
    EvidenceEffect,
    EvidenceRow,
    ItemRow,
    ItemState,
    NoticeRow,
    NoticeState,
)
from services.approval.stored import STANDING, item_of, subject_of
from services.approval.supersede_proposals import supersede_proposals
from services.approval.take_items import item_key
from services.runtime.calendar import ONE_DAY, Term, WorkCalendar
from services.runtime.clock import legal_date
from services.runtime.database import Transaction

Completed = EventEnvelope[VerificationCompleted]
RowT = TypeVar("RowT", ItemRow, DecisionRow)
ENDED = (ItemState.CONFIRMED, ItemState.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class Notice:
    """When a public notice runs."""

    ends_on: date
    ends_at: datetime


@dataclass(slots=True)
class Changes:
    """What one batch leads to, written together."""

    superseded: list[UUID] = field(default_factory=list[UUID])
    decisions: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    notices: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    items: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    evidence: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    async def write(self, tx: Transaction) -> None:
        """Superseded first: only one decision of an item may stand at any moment."""
        await supersede_proposals(tx, self.superseded)
        for table, rows in ((DecisionRow, self.decisions), (NoticeRow, self.notices)):
            if rows:
                await tx.session.execute(insert(table), rows)
        if self.evidence:
            # A revision that is told twice is on file already.
            await tx.session.execute(postgresql.insert(EvidenceRow).on_conflict_do_nothing(), self.evidence)
        if self.items:
            await tx.session.execute(update(ItemRow), self.items)


async def propose_decisions(tx: Transaction, events: list[Completed]) -> None:
    """Assess the items whose evidence is there; a changed result supersedes a proposal not yet confirmed.

    A verification that comes before its item is kept until the item is taken. Raises rulebook.UnknownPlace.
    """
    ids = [event.item_id for event in events]
    items = {row.item_id: row for row in await _read(tx, select(ItemRow).where(col(ItemRow.item_id).in_(ids)))}
    standing = {
        row.item_id: row
        for row in await _read(tx, select(DecisionRow).where(col(DecisionRow.item_id).in_(ids),
                                                             col(DecisionRow.state).in_(STANDING)))
    }
    changes = Changes()
    to_assess: list[tuple[Completed, ItemRow]] = []
    for event in events:
        row = items.get(event.item_id)
        if row is None:
            tx.wait_for(event, item_key(event.item_id))
        elif row.state in ENDED:
            changes.evidence.append(_evidence(tx, event, row, EvidenceEffect.TOO_LATE))
        elif event.data.revision <= row.evidence_revision:
            changes.evidence.append(_evidence(tx, event, row, EvidenceEffect.STALE))
        else:
            to_assess.append((event, row))
    assessments = rulebook.assess([_request(event, row, tx.clock.today) for event, row in to_assess])
    for (event, row), assessment in zip(to_assess, assessments, strict=True):
        effect = _apply(tx, changes, event, row, standing.get(row.item_id), assessment)
        changes.evidence.append(_evidence(tx, event, row, effect))
    await changes.write(tx)


async def _read(tx: Transaction, rows: Select[RowT]) -> Sequence[RowT]:
    # Hazard: rows that an earlier wave of the same transaction read and then changed in bulk may still be held by
    # the session, which would hand them out again unchanged.
    return (await tx.session.scalars(rows, execution_options={"populate_existing": True})).all()


def _request(event: Completed, row: ItemRow, on: date) -> rulebook.AssessmentRequest:
    facts = event.data.facts
    members = [
        rulebook.Member.model_validate({
            **member, "facts": [fact for fact in facts if str(fact.person_id) == member["person_id"]],
        })
        for member in row.members
    ]
    return rulebook.AssessmentRequest.model_validate({
        "key": str(row.item_id), "benefit": row.benefit, "place": row.jurisdiction, "on": on, "members": members,
        "facts": [fact for fact in facts if fact.person_id is None],
    })


def _apply(
    tx: Transaction, changes: Changes, event: Completed, row: ItemRow, standing: DecisionRow | None,
    assessment: rulebook.Assessment,
) -> EvidenceEffect:
    update_to: dict[str, Any] = {"item_id": row.item_id, "evidence_revision": event.data.revision}
    changes.items.append(update_to)
    if assessment.outcome == "evidence_missing":
        return _wait(tx, changes, row, standing, assessment, update_to)
    update_to |= {"state": ItemState.PROPOSED.value, "waits_on": None, "missing": []}
    level = rules.Level.COUNTY if assessment.level == "county" else _level(item_of(row), tx.clock.today)
    proposal = rules.Proposal.of(Outcome(assessment.outcome), assessment.amount_fen, assessment.period, level,
                                 assessment.lines, assessment.reasons)
    if standing is not None:
        if proposal == _proposal(standing):
            return EvidenceEffect.UNCHANGED
        changes.superseded.append(standing.decision_id)
    explanation = of_assessment(assessment, event.data.facts)
    _propose(tx, changes, row, proposal, explanation, assessment.rulebook_version)
    return EvidenceEffect.PROPOSED


def _wait(
    tx: Transaction, changes: Changes, row: ItemRow, standing: DecisionRow | None,
    assessment: rulebook.Assessment, update_to: dict[str, Any],
) -> EvidenceEffect:
    """Unknown evidence neither grants nor refuses: a proposal that rested on it no longer stands."""
    missing = sorted({fact.name for fact in assessment.missing})
    waits_on = rules.waits_on([fact.from_whom for fact in assessment.missing])
    update_to |= {"state": ItemState.WAITING.value, "waits_on": waits_on, "missing": missing}
    if standing is not None:
        changes.superseded.append(standing.decision_id)
    elif (row.waits_on, row.missing) == (waits_on, missing):
        return EvidenceEffect.UNCHANGED
    item = item_of(row)
    tx.record(
        DecisionEvidenceMissing(benefit=item.benefit, missing=missing, waits_on=waits_on,
                                level=_level(item, tx.clock.today).value),
        subject_of(item),
    )
    return EvidenceEffect.MISSING


def _level(item: rules.Item, on: date) -> rules.Level:
    return rules.Level(rulebook.confirming_level(item.benefit, item.owner, on,
                                                 near_relative_of_officer=item.near_relative_of_officer))


def _proposal(row: DecisionRow) -> rules.Proposal:
    kept = Explanation.model_validate(row.explanation)
    return rules.Proposal.of(Outcome(row.outcome), row.amount_fen, Period(row.period) if row.period else None,
                             rules.Level(row.level), kept.lines, kept.reasons)


def _propose(
    tx: Transaction, changes: Changes, row: ItemRow, proposal: rules.Proposal, explanation: Explanation,
    rulebook_version: str,
) -> None:
    item, today = item_of(row), tx.clock.today
    notice = _notice(item, tx.clock.now) if proposal.outcome is Outcome.GRANT else None
    confirmable_from = notice.ends_on + ONE_DAY if notice else today
    decision_id = new_id()
    changes.decisions.append({
        "decision_id": decision_id, "item_id": item.item_id, "case_id": item.case_id, "jurisdiction": item.owner,
        "epoch": item.epoch, "benefit": item.benefit.value, "outcome": proposal.outcome.value,
        "state": DecisionState.PROPOSED.value, "amount_fen": proposal.amount_fen,
        "period": proposal.period.value if proposal.period else None, "level": proposal.level.value,
        "explanation": explanation.stored(), "rulebook_version": rulebook_version, "rule_date": today,
        "proposed_at": tx.clock.now, "confirmable_from": confirmable_from, "small_sum": False,
    })
    tx.record(
        DecisionProposed(
            decision_id=decision_id, benefit=item.benefit, outcome=proposal.outcome, amount_fen=proposal.amount_fen,
            period=proposal.period, reasons=explanation.reasons, rulebook_version=rulebook_version,
            level=proposal.level.value, confirmable_from=confirmable_from,
        ),
        subject_of(item),
    )
    if notice is not None:
        _open_notice(tx, changes, row, decision_id, proposal, notice)


def _notice(item: rules.Item, opened_at: datetime) -> Notice | None:
    """The days of the notice by the place's rule: the day after opening is day 1."""
    term = rulebook.terms(item.benefit, item.owner, legal_date(opened_at)).notice
    if term is None:
        return None
    calendar, days = WorkCalendar.of(item.owner), Term(term.days, term.unit)
    return Notice(calendar.last_day(legal_date(opened_at), days), calendar.due_at(opened_at, days))


def _open_notice(
    tx: Transaction, changes: Changes, row: ItemRow, decision_id: UUID, proposal: rules.Proposal, notice: Notice,
) -> None:
    notice_id, areas = new_id(), rules.posting_areas(row.jurisdiction, row.living_area)
    changes.notices.append({
        "notice_id": notice_id, "decision_id": decision_id, "item_id": row.item_id, "case_id": row.case_id,
        "jurisdiction": row.jurisdiction,
        "masked_name": rules.name_in_notice(row.applicant_masked_name, is_adult=row.applicant_is_adult),
        "household_size": row.household_size, "amount_fen": proposal.amount_fen, "opened_on": tx.clock.today,
        "ends_on": notice.ends_on, "ends_at": notice.ends_at, "areas": areas, "state": NoticeState.OPEN.value,
    })
    tx.record(
        PublicNoticeOpened(notice_id=notice_id, decision_id=decision_id, opened_on=tx.clock.today,
                           ends_on=notice.ends_on, ends_at=notice.ends_at, areas=areas),
        subject_of(item_of(row)),
    )


def _evidence(tx: Transaction, event: Completed, row: ItemRow, effect: EvidenceEffect) -> dict[str, Any]:
    return {
        "verification_id": event.data.verification_id, "revision": event.data.revision, "item_id": row.item_id,
        "case_id": row.case_id, "jurisdiction": row.jurisdiction, "visited_on": event.data.visited_on,
        "effect": effect.value, "recorded_at": tx.clock.now,
    }
