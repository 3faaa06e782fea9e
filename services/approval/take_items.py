"""Taking accepted items: our copy of each, and a small sum decided at once. Hot: hundreds of items a second."""

from __future__ import annotations

from typing import Any

from contracts.envelope import EventEnvelope
from contracts.events.decision import SMALL_SUM_SIGNATURE_WANTED, DecisionEvidenceMissing
from contracts.events.item import ItemAccepted
from services import rulebook
from services.approval import rules
from services.approval.models import ItemState
from services.approval.small_sums import GivenSmallSums, SmallSumRegistered, give
from services.approval.stored import subject_of
from services.runtime.database import Transaction

OFFICER = "officer"


def item_key(item_id: object) -> str:
    """What an event waits for that came before the acceptance of its item."""
    return f"item:{item_id}"


async def take_items(tx: Transaction, events: list[EventEnvelope[ItemAccepted]]) -> None:
    """Keep a copy of each item; decide small sums by the signature they carry, in the same transaction.

    A small sum that the rules do not allow is no error: its item waits on an officer.
    """
    rows: list[dict[str, Any]] = []
    given = GivenSmallSums()
    for event in events:
        item = _item(event)
        row = _row(event, item)
        wanted = _decide_at_once(tx, given, event, item, row)
        if wanted is not None:
            row.update(state=ItemState.WAITING.value, waits_on=OFFICER, missing=[wanted])
            level = rulebook.small_sum_level(near_relative_of_officer=item.near_relative_of_officer)
            tx.record(
                DecisionEvidenceMissing(benefit=item.benefit, missing=[wanted], waits_on=OFFICER, level=level),
                subject_of(item),
            )
        rows.append(row)
    await given.write(tx, items=rows)
    tx.arrived(*(item_key(event.item_id) for event in events))


def _decide_at_once(
    tx: Transaction, given: GivenSmallSums, event: EventEnvelope[ItemAccepted], item: rules.Item,
    row: dict[str, Any],
) -> str | None:
    """What an officer has to bring for this item now; None where it was decided, or verification goes first."""
    small_sum = event.data.small_sum
    if small_sum is None:
        return None if event.data.needs_verification else SMALL_SUM_SIGNATURE_WANTED
    refusal = give(tx, given, SmallSumRegistered(
        item=item, signed_by=small_sum.signed_by, officer=rules.Officer.of_id(small_sum.signed_by),
        amount_fen=small_sum.amount_fen, cause=small_sum.cause, rule_date=event.rule_date,
    ))
    if refusal is not None:
        return rules.missing_for(refusal)
    row["state"] = ItemState.CONFIRMED.value
    return None


def _item(event: EventEnvelope[ItemAccepted]) -> rules.Item:
    accepted = event.data
    return rules.Item(
        item_id=event.item_id, case_id=event.case_id, benefit=accepted.benefit,
        owner=event.subject.owner or event.subject.jurisdiction, epoch=event.subject.epoch or 1,
        living_area=accepted.living_area, standard=accepted.standard,
        applicant_person_id=accepted.applicant_person_id, household_size=len(accepted.members),
        near_relative_of_officer=accepted.near_relative_of_officer,
    )


def _row(event: EventEnvelope[ItemAccepted], item: rules.Item) -> dict[str, Any]:
    accepted = event.data
    members = [
        {"person_id": str(member.person_id), "relation": member.relation.value, "is_adult": member.is_adult}
        for member in accepted.members
    ]
    applicant_is_adult = any(
        member.is_adult for member in accepted.members if member.person_id == accepted.applicant_person_id
    )
    return {
        "item_id": item.item_id, "case_id": item.case_id, "jurisdiction": item.owner, "epoch": item.epoch,
        "benefit": item.benefit.value, "household_id": accepted.household_id,
        "applicant_person_id": item.applicant_person_id, "applicant_masked_name": accepted.applicant_masked_name,
        "applicant_is_adult": applicant_is_adult, "household_size": item.household_size, "members": members,
        "standard": item.standard.value, "living_area": item.living_area,
        "near_relative_of_officer": item.near_relative_of_officer, "accepted_at": accepted.accepted_at,
        "state": ItemState.OPEN.value, "evidence_revision": 0, "waits_on": None, "missing": [],
    }
