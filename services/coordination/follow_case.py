"""Following every case by its events: read model, timeline, tasks, deadlines met, workflows told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from contracts.envelope import EventEnvelope
from contracts.processes import (
    ItemStarted,
    PaymentRunStarted,
    item_workflow_id,
    payment_run_workflow_id,
)
from services.coordination import bulk
from services.coordination.bridge import PendingSignal, enqueue
from services.coordination.conclude_case import conclude_cases
from services.coordination.effects import SENT_WITH, Effects, effects_of, place_of
from services.coordination.settle_deadlines import settle_deadlines
from services.coordination.tasks import OpenTask, close_tasks, open_tasks
from services.coordination.timeline import write_timeline
from services.runtime.calendar import ONE_DAY
from services.runtime.database import Transaction

TOLD: Final = ("item_id", "benefit", "accepted_at", "at_once", "confirmed_at", "withdrawn_at")


@dataclass(frozen=True)
class _Followed:
    event: EventEnvelope[Any]
    effects: Effects

    @property
    def item_id(self) -> UUID | None:
        return self.event.subject.item_id

    @property
    def case_id(self) -> UUID:
        return self.event.case_id


async def follow_case(tx: Transaction, events: Sequence[EventEnvelope[Any]]) -> None:
    """Take in events of one type, at most one per case; the cases are locked.

    Everything is written in bulk: small emergencies come through here by the hundred.
    """
    followed = await _with_cause(tx, [_Followed(event, effects_of(event)) for event in events])
    if not followed:
        return
    await write_timeline(tx, [one.event for one in followed])
    await bulk.upsert(tx, "cases", ("case_id",), [_case_row(one) for one in followed if one.effects.case])
    known = await _upsert_items(tx, followed)
    await _close_and_open_tasks(tx, followed)
    await _tell_workflows(tx, followed, known)
    await _start_payment_runs(tx, followed)
    waiting = [one.case_id for one in followed if one.effects.moves_deadlines and not _at_once(one, known)]
    await settle_deadlines(tx, waiting)
    await conclude_cases(tx, [one.case_id for one in followed if one.effects.may_conclude])


async def _with_cause(tx: Transaction, followed: list[_Followed]) -> list[_Followed]:
    """Those whose item is known where it has to be; the others are kept until it is."""
    waiting = [one for one in followed if one.effects.after_acceptance]
    if not waiting:
        return followed
    rows = await tx.driver.fetch(
        "select item_id from coordination.items where item_id = any($1) and accepted_at is not null",
        [one.item_id for one in waiting],
    )
    accepted = {row["item_id"] for row in rows}
    early = [one for one in waiting if one.item_id not in accepted]
    for one in early:
        tx.wait_for(one.event, _acceptance_of(one.event.item_id))
    return [one for one in followed if one not in early]


def _acceptance_of(item_id: UUID) -> str:
    return f"item_accepted:{item_id}"


async def _upsert_items(tx: Transaction, followed: Sequence[_Followed]) -> dict[UUID, Any]:
    rows = [_item_row(one) for one in followed if one.effects.item and one.item_id is not None]
    stored = await bulk.upsert(tx, "items", ("item_id",), rows, returning=TOLD)
    return {row["item_id"]: row for row in stored}


def _case_row(one: _Followed) -> dict[str, Any]:
    return {"case_id": one.case_id, "jurisdiction": place_of(one.event), **one.effects.case}


def _item_row(one: _Followed) -> dict[str, Any]:
    subject = one.event.subject
    return {
        "item_id": subject.item_id,
        "case_id": subject.case_id,
        "jurisdiction": place_of(one.event),
        "owner": subject.owner,
        "epoch": subject.epoch,
        **one.effects.item,
    }


def _at_once(one: _Followed, known: dict[UUID, Any]) -> bool:
    item = known.get(one.item_id) if one.item_id else None
    return item is not None and item["at_once"] is True


async def _close_and_open_tasks(tx: Transaction, followed: Sequence[_Followed]) -> None:
    # Closed first: a new proposal's task takes the place of the earlier one's.
    await close_tasks(tx, [(one.item_id, kind) for one in followed for kind in one.effects.closes if one.item_id])
    await open_tasks(tx, [
        OpenTask(one.case_id, one.event.item_id, task) for one in followed for task in one.effects.opens
    ])


async def _tell_workflows(tx: Transaction, followed: Sequence[_Followed], known: dict[UUID, Any]) -> None:
    signals: list[PendingSignal] = []
    for one in followed:
        if one.effects.accepts:
            tx.arrived(_acceptance_of(one.event.item_id))
        item = known.get(one.item_id) if one.item_id else None
        if item is None or item["accepted_at"] is None or item["at_once"]:
            continue  # nobody waits for this item
        workflow_id = item_workflow_id(one.event.item_id)
        # An item that ended before any wait began starts no workflow.
        if one.effects.begins_to_wait and item["confirmed_at"] is None and item["withdrawn_at"] is None:
            signals.append(PendingSignal(workflow_id, _started(one, item), one.case_id))
        if one.effects.signal is not None:
            signals.append(PendingSignal(workflow_id, one.effects.signal, one.case_id))
    await enqueue(tx, signals)


def _started(one: _Followed, item: Any) -> ItemStarted:
    return ItemStarted(subject=one.event.subject, benefit=item["benefit"], accepted_at=item["accepted_at"],
                       leap=SENT_WITH)


async def _start_payment_runs(tx: Transaction, followed: Sequence[_Followed]) -> None:
    cases = {one.effects.pays_monthly_in: one.case_id for one in followed if one.effects.pays_monthly_in}
    if not cases:
        return
    # Sorted, so that two transactions with the same places never wait for each other.
    new = await tx.driver.fetch(
        "insert into coordination.payment_runs (place, asked_at) select unnest($1::text[]), $2 "
        "on conflict do nothing returning place",
        sorted(cases), tx.clock.now,
    )
    await enqueue(tx, [
        PendingSignal(
            payment_run_workflow_id(row["place"]),
            PaymentRunStarted(place=row["place"], after=tx.clock.today - ONE_DAY, leap=SENT_WITH),
            cases[row["place"]],
        )
        for row in new
    ])
