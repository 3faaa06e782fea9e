"""What one event means for our read model, tasks and workflows. Pure; `follow_case` applies it in bulk."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import singledispatch
from typing import Any, Final
from uuid import UUID

from contracts.benefits import Benefit
from contracts.envelope import Event, EventEnvelope
from contracts.events.application import ApplicationSubmitted
from contracts.events.award import AwardStarted
from contracts.events.decision import (
    REFUSED_AT_ONCE,
    SUM_WANTED,
    DecisionConfirmed,
    DecisionEvidenceMissing,
    DecisionProposed,
    Outcome,
    Period,
)
from contracts.events.item import ItemAccepted, ItemNotAccepted, ItemSupplementRequested, ItemWithdrawn
from contracts.events.payment import PaymentSettled
from contracts.events.public_notice import PublicNoticeEnded, PublicNoticeOpened
from contracts.events.visit import VisitOrdered, VisitReported
from contracts.http.casework import TaskKind
from contracts.processes import (
    DecisionConfirmedSignal,
    DecisionProposedSignal,
    EvidenceMissingSignal,
    ItemWithdrawnSignal,
    Leap,
    Message,
)
from services.coordination.rules import COUNTY_DIGITS, confirming_place
from services.rulebook.small_sum import small_sum_level

OFFICER: Final = "officer"
SENT_WITH: Final = Leap()
"""Stands in for the leap until the bridge sends the message with the clock of that moment."""


@dataclass(frozen=True)
class NewTask:
    """A task to open. One that is open already takes over `wanted` and `opens_on`."""

    kind: TaskKind
    reference_id: UUID
    place: str
    opens_on: date | None = None
    wanted: tuple[str, ...] = ()


@dataclass(frozen=True)
class Effects:
    """What an event changes. Facts are columns of the item and of the case."""

    item: dict[str, Any] = field(default_factory=dict[str, Any])
    case: dict[str, Any] = field(default_factory=dict[str, Any])
    opens: tuple[NewTask, ...] = ()
    closes: frozenset[TaskKind] = frozenset()
    accepts: bool = False
    """The item's acceptance: what was kept for it is handled now."""
    begins_to_wait: bool = False
    """Whether its workflow is to be started, unless the item has ended."""
    signal: Message | None = None
    after_acceptance: bool = False
    """Kept until the item's acceptance is here: its workflow is started first."""
    pays_monthly_in: str | None = None
    moves_deadlines: bool = False
    """Whether a deadline may be met by it."""
    may_conclude: bool = False


ENDS_WITH_ITEM: Final = frozenset(TaskKind) - {TaskKind.CHASE_REFERRAL, TaskKind.VISIT}
"""A referral is a matter of its own, and a visit may be another item's as well: until it is reported."""


def place_of(event: EventEnvelope[Any]) -> str:
    """Who may see what we keep of an event: the deciding district, or where it happened before there is one."""
    return event.subject.owner or event.subject.jurisdiction


def effects_of(event: EventEnvelope[Any]) -> Effects:
    """What an event changes; for many only the timeline."""
    return _effects(event.data, event)


@singledispatch
def _effects(_data: Event, _event: EventEnvelope[Any]) -> Effects:
    return Effects()


@_effects.register
def _(data: ApplicationSubmitted, event: EventEnvelope[Any]) -> Effects:
    case = {"benefits_asked": list(data.benefits), "submitted_at": event.time}
    return Effects(case=case, may_conclude=True)


@_effects.register
def _(data: ItemAccepted, event: EventEnvelope[Any]) -> Effects:
    item = {
        "benefit": data.benefit, "accepted_at": data.accepted_at, "at_once": data.small_sum is not None,
        "applicant_person_id": data.applicant_person_id, "has_electricity_account": data.has_electricity_account,
        "investigating_at": data.accepted_at if data.needs_verification else None,
    }
    if data.small_sum is not None:
        return Effects(item=item, accepts=True, may_conclude=True)
    level = small_sum_level(near_relative_of_officer=data.near_relative_of_officer)
    task = NewTask(TaskKind.DECIDE_SMALL_SUM, event.item_id, confirming_place(place_of(event), level))
    return Effects(
        item=item, accepts=True, begins_to_wait=True, may_conclude=True,
        opens=(task,) if data.benefit is Benefit.TEMPORARY_ASSISTANCE else (),
    )


@_effects.register
def _(data: ItemSupplementRequested, event: EventEnvelope[Any]) -> Effects:
    return Effects(item={"benefit": data.benefit, "supplement_requested_at": event.time})


@_effects.register
def _(data: ItemNotAccepted, event: EventEnvelope[Any]) -> Effects:
    return Effects(item={"benefit": data.benefit, "not_accepted_at": event.time}, may_conclude=True)


@_effects.register
def _(data: ItemWithdrawn, event: EventEnvelope[Any]) -> Effects:
    return Effects(
        item={"benefit": data.benefit, "withdrawn_at": event.time}, closes=ENDS_WITH_ITEM,
        signal=ItemWithdrawnSignal(event_id=event.id, leap=SENT_WITH), moves_deadlines=True, may_conclude=True,
    )


@_effects.register
def _(data: VisitOrdered, event: EventEnvelope[Any]) -> Effects:
    task = NewTask(TaskKind.VISIT, data.visit_id, data.performed_by, wanted=tuple(data.findings_wanted))
    return Effects(opens=(task,))


@_effects.register
def _(_data: VisitReported, event: EventEnvelope[Any]) -> Effects:
    # A household is visited once for all its items, so the visit is a fact of the case.
    return Effects(case={"visited_at": event.time}, closes=frozenset({TaskKind.VISIT}), moves_deadlines=True)


@_effects.register
def _(data: DecisionEvidenceMissing, event: EventEnvelope[Any]) -> Effects:
    item: dict[str, Any] = {"benefit": data.benefit, "evidence_missing_at": event.time,
                            "evidence_missing_event_id": event.id}
    refused_at_once = not REFUSED_AT_ONCE.isdisjoint(data.missing)
    if refused_at_once:
        item["at_once"] = False
    return Effects(
        item=item,
        # A proposal before it is void, and so is what was wanted before; what is wanted now is opened after that.
        closes=frozenset({TaskKind.CONFIRM_DECISION, TaskKind.GIVE_FINDING}),
        opens=_wanted_of_officers(data, event) if data.waits_on == OFFICER else (),
        begins_to_wait=refused_at_once,
        signal=EvidenceMissingSignal(event_id=event.id, leap=SENT_WITH),
        after_acceptance=True,
        moves_deadlines=True,
    )


def _wanted_of_officers(data: DecisionEvidenceMissing, event: EventEnvelope[Any]) -> tuple[NewTask, ...]:
    """A sum is settled by an officer's signature, anything else by findings."""
    place = confirming_place(place_of(event), data.level or "town")
    findings = tuple(name for name in data.missing if name not in SUM_WANTED)
    tasks = [NewTask(TaskKind.GIVE_FINDING, event.item_id, place, wanted=findings)] if findings else []
    if len(findings) < len(data.missing):
        tasks.append(NewTask(TaskKind.DECIDE_SMALL_SUM, event.item_id, place))
    return tuple(tasks)


@_effects.register
def _(data: DecisionProposed, event: EventEnvelope[Any]) -> Effects:
    item = {"benefit": data.benefit, "proposed_at": event.time, "proposed_event_id": event.id,
            "decision_id": data.decision_id, "proposed_outcome": data.outcome}
    place = confirming_place(place_of(event), data.level)
    return Effects(
        item=item,
        # Closes the one for an earlier proposal; the new one is opened after that.
        closes=frozenset({TaskKind.GIVE_FINDING, TaskKind.CONFIRM_DECISION}),
        opens=(NewTask(TaskKind.CONFIRM_DECISION, data.decision_id, place, opens_on=data.confirmable_from),),
        signal=DecisionProposedSignal(event_id=event.id, decision_id=data.decision_id, outcome=data.outcome,
                                      notice_ends_at=None, leap=SENT_WITH),
        after_acceptance=True,
        moves_deadlines=True,
    )


@_effects.register
def _(data: PublicNoticeOpened, event: EventEnvelope[Any]) -> Effects:
    return Effects(
        item={"notice_decision_id": data.decision_id, "notice_ends_at": data.ends_at},
        # Only a proposed grant is posted.
        signal=DecisionProposedSignal(event_id=event.id, decision_id=data.decision_id, outcome=Outcome.GRANT,
                                      notice_ends_at=data.ends_at, leap=SENT_WITH),
        after_acceptance=True,
    )


@_effects.register
def _(data: PublicNoticeEnded, event: EventEnvelope[Any]) -> Effects:
    item = {"notice_ended_decision_id": data.decision_id, "notice_ended_at": event.time}
    return Effects(item=item, moves_deadlines=True)


@_effects.register
def _(data: DecisionConfirmed, event: EventEnvelope[Any]) -> Effects:
    item = {
        "benefit": data.benefit, "decision_id": data.decision_id, "confirmed_at": data.confirmed_at,
        "outcome": data.outcome, "amount_fen": data.amount_fen, "small_sum": data.small_sum,
    }
    return Effects(
        item=item, closes=ENDS_WITH_ITEM, moves_deadlines=True, may_conclude=True,
        signal=DecisionConfirmedSignal(event_id=event.id, decision_id=data.decision_id, outcome=data.outcome,
                                       first_month=data.first_month, leap=SENT_WITH),
        # A small sum is confirmed by the registering signature and needs no workflow: it is never kept.
        after_acceptance=not data.small_sum,
    )


@_effects.register
def _(data: AwardStarted, event: EventEnvelope[Any]) -> Effects:
    if data.period is not Period.MONTHLY:
        return Effects()
    return Effects(pays_monthly_in=place_of(event)[:COUNTY_DIGITS])


@_effects.register
def _(_data: PaymentSettled, event: EventEnvelope[Any]) -> Effects:
    return Effects(item={"paid_at": event.time})
