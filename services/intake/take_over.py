"""An item was withdrawn that others had asked for too: the oldest complete application of theirs takes its place."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import text

from contracts.envelope import Subject
from contracts.events.application import ApplicationSubmitted, Channel
from contracts.events.authorisation import AuthorisationSigned
from contracts.events.item import ItemAccepted
from services.intake.filed_application import FIRST_EPOCH
from services.runtime.database import Transaction

NEXT_IN_LINE = text(
    "select joined.item_id, joined.joins_item_id, joined.case_id, joined.application_id, joined.jurisdiction, "
    "cast(joined.acceptance as text) as acceptance, application.applicant_person_id, application.on_behalf, "
    "application.channel, application.submitted_in, "
    "exists (select from intake.items where items.case_id = joined.case_id) as is_published "
    "from intake.joined_items as joined join intake.applications as application using (application_id) "
    "where joined.joins_item_id = :item_id and joined.status = 'accepted' and joined.took_over_at is null "
    "and jsonb_typeof(joined.acceptance) = 'object' "
    "and not exists (select from intake.withdrawals where withdrawals.item_id = joined.item_id) "
    "order by joined.joined_at, joined.item_id limit 1"
)
NEW_ITEM = text(
    "insert into intake.items (item_id, case_id, application_id, jurisdiction, epoch, applicant_person_id, benefit, "
    "status, missing, accepted_at) values (:item_id, :case_id, :application_id, :owner, :epoch, "
    ":applicant_person_id, :benefit, 'accepted', '[]', :accepted_at)"
)
TOOK_OVER = text("update intake.joined_items set took_over_at = :now where item_id = :item_id")
JOIN_INSTEAD = text(
    "update intake.joined_items set joins_item_id = :item_id "
    "where joins_item_id = :joins_item_id and took_over_at is null"
)
LETTERS = text(
    "select authorisation_id, number, person_id, signed_at, method, scope from intake.authorisations "
    "where case_id = :case_id order by authorisation_id"
)


async def next_in_line(tx: Transaction, item_id: UUID) -> Any | None:
    """The oldest complete application that joined this item and was not withdrawn; None where there is none.

    The caller holds the lock on the person and locks the application's case before it takes over.
    """
    return (await tx.session.execute(NEXT_IN_LINE, {"item_id": item_id})).mappings().first()


async def take_over(tx: Transaction, joined: Any) -> None:
    """Make it the item: it is accepted as of the day it was told so, and whoever joined the first joins it now.

    A small sum that came with it is left to an officer: nobody has looked at its emergency since.
    """
    accepted = ItemAccepted.model_validate_json(joined["acceptance"])
    owner, case_id = joined["jurisdiction"], joined["case_id"]
    await tx.session.execute(NEW_ITEM, {
        **joined, "owner": owner, "epoch": FIRST_EPOCH, "benefit": accepted.benefit,
        "accepted_at": accepted.accepted_at,
    })
    await tx.session.execute(TOOK_OVER, {"item_id": joined["item_id"], "now": tx.clock.now})
    await tx.session.execute(JOIN_INSTEAD, dict(joined))
    of_case = Subject(case_id=case_id, jurisdiction=owner)
    tx.record(ApplicationSubmitted(
        application_id=joined["application_id"], applicant_person_id=joined["applicant_person_id"],
        on_behalf=joined["on_behalf"], channel=Channel(joined["channel"]), submitted_in=joined["submitted_in"],
        benefits=[accepted.benefit], persons_count=len(accepted.members),
    ), of_case)
    tx.record(accepted, Subject(case_id=case_id, item_id=joined["item_id"], jurisdiction=owner, owner=owner,
                                epoch=FIRST_EPOCH))
    if not joined["is_published"]:
        for letter in (await tx.session.execute(LETTERS, {"case_id": case_id})).mappings():
            tx.record(AuthorisationSigned.model_validate(dict(letter)), of_case)
