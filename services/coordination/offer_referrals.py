"""What a grant opens at other departments is offered to them unasked (免申即享): once per grant and benefit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import structlog

from contracts import catalogue
from contracts.benefits import Department
from contracts.envelope import new_id
from contracts.events.referral import ReferralOffered
from contracts.http.vault import Purpose, SealRequest, VaultField
from contracts.processes import OfferReferrals, ReferralStarted, referral_workflow_id
from services.coordination.bridge import PendingSignal, enqueue
from services.coordination.conclude_case import conclude_cases
from services.coordination.effects import SENT_WITH
from services.coordination.timeline import tell
from services.rulebook.models import CatalogueItem
from services.rulebook.terms import departments_of
from services.runtime import vault_client
from services.runtime.calendar import Term, WorkCalendar
from services.runtime.context import Runtime
from services.runtime.database import Transaction
from services.runtime.problems import PermanentError

log = structlog.get_logger(__name__)

RECOGNISED_BY: Final[dict[Department, VaultField]] = {Department.ELECTRICITY: VaultField.ELECTRICITY_ACCOUNT}
"""The one field by which a department recognises the household."""


async def offer_referrals(runtime: Runtime, offer: OfferReferrals) -> int:
    """Offer to each department what the grant opens there; how many offers are new.

    Identifiers are encrypted to the departments first, outside any transaction. Raises Unavailable where the
    vault cannot be reached: nothing was offered then, and the activity is tried again.
    """
    async with runtime.database.transaction() as tx:
        item = await _item_to_offer(tx, offer)
        if item is None:
            return 0
        due = _due(offer, item, tx.clock.today)
    sealed = [(entry, jwe) for entry in due if (jwe := await _seal(runtime, offer, item, entry)) is not None]
    async with runtime.database.transaction() as tx:
        return await record_offers(tx, offer, sealed)


async def record_offers(tx: Transaction, offer: OfferReferrals, sealed: Sequence[tuple[CatalogueItem, str]]) -> int:
    """Record the offers, each department's copy and the workflows that wait for the answers; once per grant."""
    case_id = offer.subject.case_id
    await tx.lock_cases(case_id)
    if await _item_to_offer(tx, offer) is None:
        return 0
    for entry, jwe in sealed:
        await _offer(tx, offer, entry, jwe)
    await tx.driver.execute(
        "update coordination.items set referrals_offered_at = $2 where item_id = $1", offer.subject.item_id,
        tx.clock.now,
    )
    await conclude_cases(tx, [case_id])
    return len(sealed)


async def _item_to_offer(tx: Transaction, offer: OfferReferrals) -> Any:
    """What is needed of the granted item; None where its referrals have been offered."""
    item = await tx.driver.fetchrow(
        "select applicant_person_id, has_electricity_account, referrals_offered_at from coordination.items "
        "where item_id = $1 and accepted_at is not null",
        offer.subject.item_id,
    )
    if item is None:
        raise PermanentError(f"Item {offer.subject.item_id}: no acceptance is known here. Nothing can be offered.",
                             code="item_unknown")
    return item if item["referrals_offered_at"] is None else None


def _due(offer: OfferReferrals, item: Any, on: date) -> list[CatalogueItem]:
    place = offer.subject.owner or offer.subject.jurisdiction
    opened = departments_of(offer.benefit, place, on)
    return [entry for entry in opened if entry.department != Department.ELECTRICITY or item["has_electricity_account"]]


async def _seal(runtime: Runtime, offer: OfferReferrals, item: Any, entry: CatalogueItem) -> str | None:
    wanted = RECOGNISED_BY[entry.department]
    person = SealRequest(person_id=item["applicant_person_id"], case_id=offer.subject.case_id)
    [sealed] = await vault_client.seal_many(
        runtime, purpose=Purpose.REFERRAL, recipient=f"department:{entry.department}", persons=[person],
        fields=[wanted],
    )
    if wanted in sealed.missing:
        # The department could not recognise the household: an offer would only come back.
        log.warning("referral.not_recognisable", item_id=str(offer.subject.item_id), department=entry.department)
        return None
    return sealed.jwe


async def _offer(tx: Transaction, offer: OfferReferrals, entry: CatalogueItem, jwe: str) -> None:
    because, place = offer.subject, offer.subject.owner or offer.subject.jurisdiction
    term = Term(days=entry.answer_by.days, unit=entry.answer_by.unit)
    answer_by = WorkCalendar.of(place).due_at(tx.clock.now, term)
    from_month = offer.first_month or tx.clock.today.replace(day=1)
    referral_id = await _insert(tx, offer, entry, answer_by, from_month)
    if referral_id is None:
        return
    subject = because.model_copy(update={"item_id": referral_id})
    event = ReferralOffered(department=entry.department, benefit=entry.code, because_of=offer.benefit,
                            joining=entry.joins, from_month=from_month, answer_by=answer_by, recipient_data=jwe)
    await tell(tx, event, subject)
    topic, fields = department_copy(entry.department)
    tx.record(event, subject, topic=topic, fields=fields)
    start = ReferralStarted(subject=subject, department=entry.department, benefit=entry.code, answer_by=answer_by,
                            leap=SENT_WITH)
    await enqueue(tx, [PendingSignal(referral_workflow_id(referral_id), start, subject.case_id)])


async def _insert(tx: Transaction, offer: OfferReferrals, entry: CatalogueItem, answer_by: datetime,
                  from_month: date) -> UUID | None:
    """The new referral's item id, or None where this grant was offered there before."""
    subject = offer.subject
    return await tx.driver.fetchval(
        "insert into coordination.referrals (item_id, case_id, because_item_id, jurisdiction, department, benefit, "
        "from_month, answer_by, offered_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
        "on conflict (because_item_id, benefit) do nothing returning item_id",
        new_id(), subject.case_id, subject.item_id, subject.owner or subject.jurisdiction, entry.department,
        entry.code, from_month, answer_by, tx.clock.now,
    )


def department_copy(department: Department) -> tuple[str, frozenset[str]]:
    """On which topic a department reads referrals, and the fields it is granted. Raises LookupError for none."""
    reader = f"department:{department}"
    for grant in catalogue.EVENTS[ReferralOffered.TYPE].grants:
        if grant.reader == reader and grant.topic is not None:
            return grant.topic, catalogue.granted_fields(ReferralOffered.TYPE, reader)
    raise LookupError(f"{reader}: the catalogue grants it no topic. Add a grant with the fields it needs.")
