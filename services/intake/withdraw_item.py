"""Use case: the household takes an application for one benefit back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import text

from contracts.benefits import Benefit
from contracts.envelope import Subject
from contracts.events.item import ItemWithdrawn
from contracts.http.application import WithdrawalReceipt
from services.intake import person_locks
from services.intake.followers import may_follow
from services.intake.rules import ItemStatus
from services.intake.take_over import next_in_line, take_over
from services.runtime.database import Transaction
from services.runtime.problems import Problem
from services.runtime.tokens import Caller

ITEM = text(
    "select found.case_id, item.jurisdiction as owner, item.epoch, item.benefit, item.status, "
    "item.ended_at, cases.submitted_by, person.blind_index, withdrawal.withdrawn_at, found.joins_item_id "
    "from (select item_id, item_id as of_item_id, case_id, cast(null as uuid) as joins_item_id "
    "from intake.items where item_id = :item_id union all "
    "select item_id, joins_item_id, case_id, joins_item_id from intake.joined_items "
    "where item_id = :item_id and took_over_at is null) as found "
    "join intake.items as item on item.item_id = found.of_item_id "
    "join intake.cases on cases.case_id = found.case_id "
    "join intake.persons as person on person.person_id = item.applicant_person_id "
    "left join intake.withdrawals as withdrawal on withdrawal.item_id = found.item_id"
)
RECORD = text(
    "insert into intake.withdrawals (item_id, case_id, jurisdiction, withdrawn_at, withdrawn_by, withdrawn_by_role) "
    "values (:item_id, :case_id, :owner, :now, :subject, :role)"
)
END = text("update intake.items set ended_at = :now where item_id = :item_id")


async def withdraw_item(tx: Transaction, caller: Caller, item_id: UUID) -> WithdrawalReceipt:
    """Withdraw an item that is not known to be decided yet. Once more: the first answer.

    Where others had asked for the same, the oldest complete application of theirs takes over.
    A decision may be confirmed in the same moment; then that stands (`item.withdrawn` comes too late for approval).
    Raises Problem 404, the same for an unknown item and one that the caller may not follow, and 409 `item_ended`.
    """
    item = await _item(tx, caller, item_id)
    # The person too: an application that completes this very item must not pass between reading and writing.
    await person_locks.lock(tx, [item["blind_index"]])
    heir = await next_in_line(tx, item_id)
    await tx.lock_cases(item["case_id"], *([heir["case_id"]] if heir else []))
    item = await _item(tx, caller, item_id)
    if item["withdrawn_at"] is not None:
        return WithdrawalReceipt(item_id=item_id, withdrawn_at=item["withdrawn_at"])
    # An incomplete item that gave way to a stranger's whole one may be withdrawn: nobody is to learn of that one.
    if item["ended_at"] is not None and item["status"] != ItemStatus.SUPPLEMENT_REQUESTED:
        raise Problem(409, "item_ended", f"Item {item_id}: already decided or not accepted. Nothing can be withdrawn.")
    now = tx.clock.now
    await tx.session.execute(RECORD, {
        "item_id": item_id, "case_id": item["case_id"], "owner": item["owner"], "now": now,
        "subject": caller.subject, "role": caller.role,
    })
    # Hazard: who only joined another's item withdraws nothing of that; they must not learn of it either.
    if item["joins_item_id"] is None:
        await tx.session.execute(END, {"item_id": item_id, "now": now})
        tx.record(
            ItemWithdrawn(benefit=Benefit(item["benefit"]), accepted=item["status"] == ItemStatus.ACCEPTED),
            Subject(case_id=item["case_id"], item_id=item_id, jurisdiction=item["owner"], owner=item["owner"],
                    epoch=item["epoch"]),
        )
        if heir is not None and item["ended_at"] is None:
            await take_over(tx, heir)
    return WithdrawalReceipt(item_id=item_id, withdrawn_at=now)


async def _item(tx: Transaction, caller: Caller, item_id: UUID) -> Any:
    item = (await tx.session.execute(ITEM, {"item_id": item_id})).mappings().first()
    if item is None or not may_follow(caller, submitted_by=item["submitted_by"], owner=item["owner"]):
        raise Problem(404, "item_unknown", f"Item {item_id}: not found among what you may see. Check the number.")
    return item
