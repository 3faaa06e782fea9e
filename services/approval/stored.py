"""What is stored, found for one command and told as the rules know it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from contracts.benefits import Benefit, Standard
from contracts.envelope import Subject
from contracts.events.decision import Outcome
from services.approval import rules
from services.approval.models import DecisionRow, DecisionState, ItemRow, ItemState, NoticeRow
from services.runtime.database import Transaction
from services.runtime.problems import Problem

STANDING = (DecisionState.PROPOSED, DecisionState.CONFIRMED)


def subject_of(item: rules.Item) -> Subject:
    """What our events about this item say they are about: it happens where the item is decided."""
    return Subject(case_id=item.case_id, item_id=item.item_id, jurisdiction=item.owner, owner=item.owner,
                   epoch=item.epoch)


def item_of(row: ItemRow) -> rules.Item:
    """An item as the rules know it."""
    return rules.Item(
        item_id=row.item_id, case_id=row.case_id, benefit=Benefit(row.benefit), owner=row.jurisdiction,
        epoch=row.epoch, living_area=row.living_area, standard=Standard(row.standard),
        applicant_person_id=row.applicant_person_id, household_size=row.household_size,
        near_relative_of_officer=row.near_relative_of_officer, withdrawn=row.state == ItemState.WITHDRAWN,
    )


def decision_of(row: DecisionRow, notice: NoticeRow | None) -> rules.Decision:
    """A decision as the rules know it."""
    return rules.Decision(
        decision_id=row.decision_id, owner=row.jurisdiction, epoch=row.epoch, level=rules.Level(row.level),
        outcome=Outcome(row.outcome), confirmable_from=row.confirmable_from,
        notice_ends_on=notice.ends_on if notice is not None else None, confirmed_by=row.confirmed_by,
        superseded=row.state == DecisionState.SUPERSEDED, withdrawn=row.state == DecisionState.WITHDRAWN,
    )


async def lock_item(tx: Transaction, item_id: UUID) -> ItemRow:
    """The item, with its case locked. Raises Problem 404 where there is none in sight of this transaction."""
    case_id = await tx.session.scalar(select(col(ItemRow.case_id)).where(col(ItemRow.item_id) == item_id))
    if case_id is None:
        raise item_not_found(item_id)
    await tx.lock_cases(case_id)
    # Hazard: read only now; what was read before the lock may have been changed by whoever held it.
    return await tx.session.get_one(ItemRow, item_id)


async def lock_decision(tx: Transaction, decision_id: UUID) -> tuple[DecisionRow, ItemRow, NoticeRow | None]:
    """The decision with its item and notice, the case locked. Raises Problem 404 where none is in sight."""
    asked = select(col(DecisionRow.case_id)).where(col(DecisionRow.decision_id) == decision_id)
    case_id = await tx.session.scalar(asked)
    if case_id is None:
        raise decision_not_found(decision_id)
    await tx.lock_cases(case_id)
    decision = await tx.session.get_one(DecisionRow, decision_id)
    item = await tx.session.get_one(ItemRow, decision.item_id)
    return decision, item, await notice_of(tx, decision_id)


async def notice_of(tx: Transaction, decision_id: UUID) -> NoticeRow | None:
    """The public notice of a decision, if it has one."""
    return await tx.session.scalar(select(NoticeRow).where(col(NoticeRow.decision_id) == decision_id))


async def standing_decision(tx: Transaction, item_id: UUID) -> DecisionRow | None:
    """The item's proposed or confirmed decision: there is at most one."""
    return await tx.session.scalar(
        select(DecisionRow).where(col(DecisionRow.item_id) == item_id, col(DecisionRow.state).in_(STANDING))
    )


def item_not_found(item_id: UUID) -> Problem:
    """Also where it lies outside the caller's place: which of the two is not told."""
    return Problem(404, "item_not_found", f"Item {item_id}: none in your place. Check the id, or ask its office.")


def decision_not_found(decision_id: UUID) -> Problem:
    """Also where it lies outside the caller's place: which of the two is not told."""
    return Problem(404, "decision_not_found",
                   f"Decision {decision_id}: none in your place. Check the id, or ask the office that decides.")


def refused(refusal: rules.Refusal) -> Problem:
    """The problem told to the officer: 403 where it is about who asks, else 409."""
    return Problem(403 if refusal.code in rules.NOT_ALLOWED else 409, refusal.code.value, refusal.detail)
