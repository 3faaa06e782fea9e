"""What coordination decides: stages, due moments, reminders, who is told, and when a case is closed. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Protocol
from uuid import UUID

from contracts.benefits import Benefit
from contracts.events.case import ItemResult
from contracts.events.deadline import DeadlineKind
from contracts.events.decision import Outcome
from contracts.events.referral import ReferralAnswer
from contracts.processes import DUE_PERCENT, MOMENTS, Stage

REMINDER_PERCENTS: Final = (50, 80)
COUNTY_DIGITS: Final = 6
CITY_DIGITS: Final = 4
DECIDED_ELSEWHERE: Final = frozenset({Benefit.ELECTRICITY_WAIVER})
"""Benefits that another department decides: they are referrals, never items of ours."""
FINAL_ANSWERS: Final = frozenset(ReferralAnswer) - {ReferralAnswer.RECEIVED}


class ItemFacts(Protocol):
    """What is known about an item; every moment is legal time, None what has not happened (or is not known yet)."""

    item_id: UUID
    jurisdiction: str
    owner: str | None
    benefit: str | None
    accepted_at: datetime | None
    at_once: bool | None
    supplement_requested_at: datetime | None
    not_accepted_at: datetime | None
    withdrawn_at: datetime | None
    investigating_at: datetime | None
    proposed_at: datetime | None
    proposed_event_id: UUID | None
    decision_id: UUID | None
    proposed_outcome: str | None
    evidence_missing_at: datetime | None
    evidence_missing_event_id: UUID | None
    notice_decision_id: UUID | None
    notice_ended_decision_id: UUID | None
    notice_ended_at: datetime | None
    confirmed_at: datetime | None
    outcome: str | None
    amount_fen: int | None
    small_sum: bool | None
    paid_at: datetime | None
    referrals_offered_at: datetime | None


class ReferralFacts(Protocol):
    """What is known about a referral."""

    item_id: UUID
    benefit: str
    department: str
    answer: str | None
    amount_fen_month: int | None


@dataclass(frozen=True)
class WakeMoment:
    """When a deadline has something to say."""

    elapsed_percent: int
    wake_at: datetime


def stage(item: ItemFacts) -> Stage:
    """How far an item is. It follows from what happened, never from the order in which we heard of it."""
    if item.confirmed_at is not None:
        if item.outcome == Outcome.REFUSE:
            return Stage.REFUSED
        return Stage.GRANTED if item.paid_at is None else Stage.PAID
    if item.withdrawn_at is not None:
        return Stage.WITHDRAWN
    if item.not_accepted_at is not None:
        return Stage.NOT_ACCEPTED
    if item.proposed_at is not None and _voided_at(item) is None:
        return _stage_of_proposal(item)
    if item.investigating_at is not None:
        return Stage.INVESTIGATING
    if item.accepted_at is None and item.supplement_requested_at is not None:
        return Stage.SUPPLEMENT
    return Stage.RECEIVED


def _voided_at(item: ItemFacts) -> datetime | None:
    """When the last proposal became void because evidence was missing after all; None while it stands."""
    proposed_at, missing_at = item.proposed_at, item.evidence_missing_at
    if proposed_at is None or missing_at is None or missing_at < proposed_at:
        return None
    return missing_at if missing_at > proposed_at or _recorded_later(item) else None


def _recorded_later(item: ItemFacts) -> bool:
    """Whether, of two words of one moment, evidence was missing after the proposal: ids grow as events are recorded."""
    proposed, missing = item.proposed_event_id, item.evidence_missing_event_id
    return proposed is not None and missing is not None and missing > proposed


def _stage_of_proposal(item: ItemFacts) -> Stage:
    if item.proposed_outcome == Outcome.REFUSE or item.notice_ended_decision_id == item.decision_id:
        return Stage.AWAITING_CONFIRMATION
    return Stage.IN_NOTICE if item.notice_decision_id == item.decision_id else Stage.PROPOSED


def met_at(kind: DeadlineKind, reference: str, item: ItemFacts, visited_at: datetime | None) -> datetime | None:
    """When what an item's deadline waits for happened, or ceased to be owed; None while it is owed."""
    ended = [item.confirmed_at, item.withdrawn_at]
    match kind:
        case DeadlineKind.INVESTIGATE:
            # A household may be visited again for an item accepted later; the visit before that was not its own.
            seen = visited_at is not None and (item.accepted_at is None or visited_at >= item.accepted_at)
            return _earliest(visited_at if seen else None, *ended)
        case DeadlineKind.DECIDE | DeadlineKind.DECIDE_PROMISED:
            return _earliest(*ended)
        case DeadlineKind.NOTICE_END:
            notice_ended = item.notice_ended_at if str(item.notice_ended_decision_id) == reference else None
            superseded = item.decision_id is not None and str(item.decision_id) != reference
            replaced_at = item.proposed_at if superseded else _voided_at(item)
            return _earliest(notice_ended, replaced_at, *ended)
        case _:
            return None


def in_time(kind: DeadlineKind, met: datetime, due_at: datetime) -> bool:
    """Whether what happened at `met` came in time. `due_at` is the first moment that is too late."""
    return kind in MOMENTS or met < due_at


def wake_moments(kind: DeadlineKind, starts_at: datetime, due_at: datetime) -> list[WakeMoment]:
    """The moments of a deadline: half and four fifths of its legal span for a reminder, then its end."""
    end = WakeMoment(DUE_PERCENT, due_at)
    if kind in MOMENTS:
        return [end]
    span = due_at - starts_at
    return [*(WakeMoment(percent, starts_at + span * percent / DUE_PERCENT) for percent in REMINDER_PERCENTS), end]


def escalated_to(place: str) -> str:
    """The level above: a town's county, a county's city."""
    return place[:COUNTY_DIGITS] if len(place) > COUNTY_DIGITS else place[:CITY_DIGITS]


def confirming_place(owner: str, level: str) -> str:
    """Area code of the office whose officer may confirm: `level` is `town` or `county`."""
    return owner if level == "town" else owner[:COUNTY_DIGITS]


def next_pay_day(after: date, day_of_month: int) -> date:
    """The first pay day after a date. A place pays on the same day each month (at most the 28th)."""
    this_month = after.replace(day=day_of_month)
    if this_month > after:
        return this_month
    year, month = divmod(after.year * 12 + after.month, 12)
    return date(year, month + 1, day_of_month)


def has_ended(item: ItemFacts) -> bool:
    """Whether nothing more is to be decided about an item, and whatever its grant opens has been offered."""
    if item.confirmed_at is not None:
        settled = item.outcome == Outcome.REFUSE or item.small_sum or item.at_once
        return bool(settled) or item.referrals_offered_at is not None
    return item.withdrawn_at is not None or item.not_accepted_at is not None


def conclusion(
    benefits_asked: Collection[str], items: Sequence[ItemFacts], referrals: Sequence[ReferralFacts]
) -> list[ItemResult] | None:
    """The closing notice of a case, or None while anything of it is open or not known yet."""
    expected = set(benefits_asked) - DECIDED_ELSEWHERE
    if not benefits_asked or not expected <= {item.benefit for item in items}:
        return None
    if not all(has_ended(item) for item in items) or any(referral.answer is None for referral in referrals):
        return None
    results = [*map(_result, items), *map(_referral_result, referrals)]
    return sorted(results, key=lambda result: str(result.item_id))


def lists_all(results: Sequence[ItemResult], items: Sequence[ItemFacts]) -> bool:
    """Whether a closing notice tells of every item; one that came after it opens the case again."""
    return {item.item_id for item in items} <= {result.item_id for result in results}


def _result(item: ItemFacts) -> ItemResult:
    result = Stage.GRANTED if stage(item) is Stage.PAID else stage(item)
    granted = result is Stage.GRANTED
    return ItemResult(item_id=item.item_id, benefit=Benefit(item.benefit or ""), result=result,
                      amount_fen=item.amount_fen if granted else None, decided_by=item.owner or item.jurisdiction)


def _referral_result(referral: ReferralFacts) -> ItemResult:
    return ItemResult(item_id=referral.item_id, benefit=Benefit(referral.benefit), result=referral.answer or "",
                      amount_fen=referral.amount_fen_month, decided_by=referral.department)


def _earliest(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)
