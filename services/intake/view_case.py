"""Use case: read a case, as much of it as the reader may see; reading in office is recorded."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime
from sqlalchemy import text

from contracts.http.message import Answer
from services.runtime.context import Runtime
from services.runtime.database import Transaction
from services.runtime.problems import Problem
from services.runtime.tokens import Caller

IN_OFFICE = frozenset({"officer", "operator", "service"})

CASE = text("select * from intake.cases where case_id = :case_id")
ITEM_IN_JURISDICTION = text(
    "select 1 from intake.items where case_id = :case_id "
    "union all select 1 from intake.joined_items where case_id = :case_id limit 1"
)
ITEMS = text(
    "select listed.*, exists (select from intake.withdrawals as withdrawal "
    "where withdrawal.item_id = listed.item_id) as withdrawn from ("
    "select item_id, benefit, status, missing, accepted_at, ended_at, jurisdiction as owner, epoch, "
    "cast(null as uuid) as joins_item_id from intake.items where case_id = :case_id "
    "union all "
    "select joined.item_id, joined.benefit, joined.status, joined.missing, "
    "case joined.status when 'accepted' then joined.joined_at end, item.ended_at, joined.jurisdiction, item.epoch, "
    "joined.joins_item_id from intake.joined_items as joined join intake.items as item "
    "on item.item_id = joined.joins_item_id where joined.case_id = :case_id and joined.took_over_at is null"
    ") as listed order by item_id"
)
MEMBERS = text(
    "select member.person_id, member.relation, member.sex, member.is_adult, member.registered_area, "
    "letter.number as authorisation_number, letter.signed_at as authorised_at "
    "from intake.members as member left join lateral (select number, signed_at from intake.authorisations as signed "
    "where signed.case_id = member.case_id and signed.person_id = member.person_id "
    "order by signed_at desc, authorisation_id desc limit 1) as letter on true "
    "where member.case_id = :case_id order by member.person_id"
)
APPLICATIONS = text(
    "select application_id, submitted_at, submitted_in, submitted_by_role, channel, on_behalf, benefits, "
    "declared_facts, event_cause, event_on, event_in from intake.applications where case_id = :case_id "
    "order by application_id"
)
JOINED_LATER = text(
    "select joined.case_id, joined.application_id, joined.benefit, joined.joined_at "
    "from intake.joined_items as joined join intake.items as item on item.item_id = joined.joins_item_id "
    "where item.case_id = :case_id order by joined.item_id"
)
RECORD_READ = text(
    "insert into intake.access_records (read_at, subject, role, purpose, case_id, jurisdiction) "
    "values (:read_at, :subject, :role, :purpose, :case_id, :jurisdiction)"
)


class ItemView(Answer):
    """An item in words for the household."""

    item_id: UUID
    benefit: str
    status: str
    """`accepted`, `supplement_requested`, `not_accepted`, `withdrawn`, or `decided`: the decision is approval's."""
    missing: list[str]
    accepted_at: AwareDatetime | None


class OfficialItemView(ItemView):
    """An item with who decides it."""

    owner: str
    epoch: int
    joins_item_id: UUID | None
    """Set where the same was asked before by another: the item that this one is in truth."""


class MemberView(Answer):
    """A member of the household, without identifiers."""

    person_id: UUID
    relation: str
    sex: str
    is_adult: bool
    registered_area: str
    authorisation_number: str | None
    authorised_at: AwareDatetime | None


class ApplicationView(Answer):
    """An application as it was handed in, without identifiers."""

    application_id: UUID
    submitted_at: AwareDatetime
    submitted_in: str
    submitted_by_role: str
    channel: str
    on_behalf: bool
    benefits: list[str]
    declared_facts: list[dict[str, Any]]
    event_cause: str | None
    event_on: date | None
    event_in: str | None


class JoinedView(Answer):
    """The same person asked again through someone else."""

    case_id: UUID
    application_id: UUID
    benefit: str
    joined_at: AwareDatetime


class CaseView(Answer):
    """What the one who handed it in may follow."""

    case_id: UUID
    submitted_at: AwareDatetime
    items: list[ItemView]


class OfficialCaseView(Answer):
    """Intake's part of a case for those in office."""

    case_id: UUID
    submitted_at: AwareDatetime
    jurisdiction: str
    household_id: UUID
    applicant_person_id: UUID
    items: list[OfficialItemView]
    members: list[MemberView]
    applications: list[ApplicationView]
    joined_later: list[JoinedView]


async def view_case(runtime: Runtime, caller: Caller, case_id: UUID) -> CaseView | OfficialCaseView:
    """Read a case. Raises Problem 404, the same where there is none and where the caller may not see it.

    Its items may have different owners: who decides one of them sees the household whole.
    """
    if caller.role not in IN_OFFICE:
        async with runtime.database.transaction() as tx:
            return await _view_for_household(tx, caller, case_id)
    # Row level security says whether an item of the case lies in this officer's jurisdiction.
    async with runtime.database.transaction(caller.scope) as tx:
        if (await tx.session.execute(ITEM_IN_JURISDICTION, {"case_id": case_id})).first() is None:
            raise _unknown(case_id)
    async with runtime.database.transaction() as tx:
        return await _view_in_office(tx, caller, case_id)


async def _view_for_household(tx: Transaction, caller: Caller, case_id: UUID) -> CaseView:
    case = (await tx.session.execute(CASE, {"case_id": case_id})).mappings().first()
    if case is None or caller.subject != case["submitted_by"]:
        raise _unknown(case_id)
    items = [ItemView.model_validate(item) for item in await _items(tx, case_id)]
    return CaseView(case_id=case_id, submitted_at=case["submitted_at"], items=items)


async def _view_in_office(tx: Transaction, caller: Caller, case_id: UUID) -> OfficialCaseView:
    key = {"case_id": case_id}
    case = (await tx.session.execute(CASE, key)).mappings().one()
    await tx.session.execute(RECORD_READ, {
        "read_at": tx.clock.now, "subject": caller.subject, "role": caller.role, "purpose": caller.purpose,
        "case_id": case_id, "jurisdiction": case["jurisdiction"],
    })
    members, applications, joined = [
        (await tx.session.execute(statement, key)).mappings().all()
        for statement in (MEMBERS, APPLICATIONS, JOINED_LATER)
    ]
    return OfficialCaseView(
        **case,
        items=[OfficialItemView.model_validate(item) for item in await _items(tx, case_id)],
        members=[MemberView.model_validate(row) for row in members],
        applications=[ApplicationView.model_validate(row) for row in applications],
        joined_later=[JoinedView.model_validate(row) for row in joined],
    )


async def _items(tx: Transaction, case_id: UUID) -> list[dict[str, Any]]:
    return [_with_word(row) for row in (await tx.session.execute(ITEMS, {"case_id": case_id})).mappings()]


def _unknown(case_id: UUID) -> Problem:
    return Problem(404, "case_unknown", f"Case {case_id}: not found among what you may see. Check the number.")


def _with_word(row: Any) -> dict[str, Any]:
    if row["withdrawn"]:
        return {**row, "status": "withdrawn"}
    # An incomplete item that gave way to a whole one still looks incomplete to who left it so.
    decided = row["ended_at"] is not None and row["status"] == "accepted"
    return {**row, "status": "decided" if decided else row["status"]}
