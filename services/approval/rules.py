"""Who may decide what, and when: pure decisions. Dates are legal dates (Asia/Shanghai); money is integer fen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

from contracts.benefits import Benefit, Standard
from contracts.events.decision import (
    SMALL_SUM_SIGNATURE_WANTED,
    SMALL_SUM_WITHIN_CAP_WANTED,
    Outcome,
    Period,
    Reason,
)
from services.rulebook import AmountLine, may_sign_small_sum

COUNTY_DIGITS = 6
OFFICER_ID = re.compile(r"officer:(\d{6,12}):[a-z0-9]{1,16}", re.ASCII)
MINOR_IN_NOTICE = "未成年人"
ONE_DAY = timedelta(days=1)


class Level(StrEnum):
    """Which office signs."""

    TOWN = "town"
    COUNTY = "county"


class RefusalCode(StrEnum):
    """Why an officer's command cannot be carried out."""

    NOT_YOUR_JURISDICTION = "not_your_jurisdiction"
    DELEGATED_TO_TOWN = "delegated_to_town"
    COUNTY_DECIDES = "county_decides"
    NOTICE_OPEN = "notice_open"
    TOO_EARLY = "too_early"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"
    OWNER_CHANGED = "owner_changed"
    ALREADY_CONFIRMED = "already_confirmed"
    NO_SMALL_SUM = "no_small_sum"
    ABOVE_SMALL_SUM_CAP = "above_small_sum_cap"


NOT_ALLOWED = frozenset(
    {RefusalCode.NOT_YOUR_JURISDICTION, RefusalCode.DELEGATED_TO_TOWN, RefusalCode.COUNTY_DECIDES}
)
"""Refused because of who asks; everything else is refused because of how things stand."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """No, and why, in a sentence that says what to do."""

    code: RefusalCode
    detail: str


@dataclass(frozen=True, slots=True)
class Officer:
    """Who signs, and for which place."""

    officer_id: str
    jurisdiction: str

    @classmethod
    def of_id(cls, officer_id: str) -> Officer | None:
        """The officer an id names, with the place it carries; None where it is not an officer's id."""
        match = OFFICER_ID.fullmatch(officer_id)
        return cls(officer_id, match[1]) if match else None


@dataclass(frozen=True, slots=True)
class Item:
    """What the rules have to know about an item."""

    item_id: UUID
    case_id: UUID
    benefit: Benefit
    owner: str
    epoch: int
    living_area: str
    standard: Standard
    applicant_person_id: UUID
    household_size: int
    near_relative_of_officer: bool = False
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What the rules have to know about a decision."""

    decision_id: UUID
    owner: str
    epoch: int
    level: Level
    outcome: Outcome
    confirmable_from: date
    notice_ends_on: date | None = None
    """Last day of the public notice; None where there is none (a refusal, a small sum)."""
    confirmed_by: str | None = None
    superseded: bool = False
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Yes. `repeated` where the same officer had confirmed before: answer the same, do nothing."""

    repeated: bool = False


def confirm(decision: Decision, item: Item, officer: Officer, *, on: date) -> Confirmation | Refusal:
    """May this officer confirm this decision on that day?"""
    refused = _not_theirs(decision, item, officer)
    if refused is not None:
        return refused
    name = f"Decision {decision.decision_id}"
    if decision.confirmed_by is not None:
        if decision.confirmed_by == officer.officer_id:
            return Confirmation(repeated=True)
        return Refusal(RefusalCode.ALREADY_CONFIRMED,
                       f"{name}: already confirmed by another officer. Nothing is left to do.")
    if decision.withdrawn or item.withdrawn:
        return Refusal(RefusalCode.WITHDRAWN, f"{name}: the household withdrew. Nothing is left to decide.")
    if decision.superseded:
        return Refusal(RefusalCode.SUPERSEDED,
                       f"{name}: replaced after new evidence. Read item {item.item_id} for what stands now.")
    if (decision.owner, decision.epoch) != (item.owner, item.epoch):
        return Refusal(RefusalCode.OWNER_CHANGED,
                       f"{name}: item {item.item_id} is decided by {item.owner} now. Leave it to that office.")
    return _too_early(decision, on=on) or Confirmation()


def _not_theirs(decision: Decision, item: Item, officer: Officer) -> Refusal | None:
    county = item.owner[:COUNTY_DIGITS]
    # Also should the proposal have been made before anyone knew of the relative.
    level = Level.COUNTY if item.near_relative_of_officer else decision.level
    signs = county if level is Level.COUNTY else item.owner
    if officer.jurisdiction == signs:
        return None
    name = f"Decision {decision.decision_id}"
    if level is Level.COUNTY and officer.jurisdiction == item.owner:
        return Refusal(RefusalCode.COUNTY_DECIDES, f"{name}: the county {county} decides this one. Leave it to them.")
    if level is Level.TOWN and officer.jurisdiction == county:
        return Refusal(RefusalCode.DELEGATED_TO_TOWN,
                       f"{name}: delegated to {item.owner}, who reviews and signs. Ask that office.")
    return Refusal(RefusalCode.NOT_YOUR_JURISDICTION,
                   f"{name}: decided by {signs}, not by {officer.jurisdiction}. Ask an officer of that office.")


def _too_early(decision: Decision, *, on: date) -> Refusal | None:
    name = f"Decision {decision.decision_id}"
    if decision.outcome is Outcome.GRANT and decision.notice_ends_on is not None and on <= decision.notice_ends_on:
        return Refusal(RefusalCode.NOTICE_OPEN,
                       f"{name}: public notice open until {decision.notice_ends_on}. Confirm after that day.")
    if on < decision.confirmable_from:
        return Refusal(RefusalCode.TOO_EARLY, f"{name}: may be confirmed from {decision.confirmable_from} on.")
    return None


def level_of_signature(officer: Officer) -> Level:
    """The level at which an officer signs, by the length of the place's code."""
    return Level.COUNTY if len(officer.jurisdiction) <= COUNTY_DIGITS else Level.TOWN


@dataclass(frozen=True, slots=True)
class SmallSumAsked:
    """A small sum as an officer registers it (小额快救)."""

    item: Item
    officer: Officer | None
    amount_fen: int
    cap_fen: int | None
    """None where the rules of the place and day know no small sum for this benefit and household."""


def small_sum(asked: SmallSumAsked) -> Refusal | None:
    """Why this officer may not give this sum at once; None where they may."""
    name = f"Item {asked.item.item_id}"
    if asked.item.withdrawn:
        return Refusal(RefusalCode.WITHDRAWN, f"{name}: the household withdrew. Nothing is left to decide.")
    if asked.officer is None or not _may_sign(asked.officer, asked.item):
        if asked.item.near_relative_of_officer:
            return Refusal(RefusalCode.COUNTY_DECIDES,
                           f"{name}: an officer's near relative asks. Leave it to {asked.item.owner[:COUNTY_DIGITS]}.")
        return Refusal(RefusalCode.NOT_YOUR_JURISDICTION,
                       f"{name}: neither decided nor lived in your place. Ask an officer of {asked.item.owner}.")
    if asked.cap_fen is None:
        return Refusal(RefusalCode.NO_SMALL_SUM,
                       f"{name}: no rule of this place and day allows a small sum. Decide it the ordinary way.")
    if asked.amount_fen > asked.cap_fen:
        return Refusal(RefusalCode.ABOVE_SMALL_SUM_CAP,
                       f"{name}: {asked.amount_fen} fen is above the cap of {asked.cap_fen} fen. "
                       "Register a sum within the cap, or decide it the ordinary way.")
    return None


def _may_sign(officer: Officer, item: Item) -> bool:
    return may_sign_small_sum(officer.jurisdiction, owner=item.owner, living_area=item.living_area,
                              near_relative_of_officer=item.near_relative_of_officer)


def waits_on(informants: Sequence[str]) -> str:
    """Whose move it is where several could tell: the officer first, who can chase the others."""
    if "officer" in informants or "rulebook" in informants:
        return "officer"
    return "applicant" if "applicant" in informants else "source"


def missing_for(refusal: Refusal) -> str:
    """What an item waits for whose small sum could not be given at once."""
    return SMALL_SUM_SIGNATURE_WANTED if refusal.code in NOT_ALLOWED else SMALL_SUM_WITHIN_CAP_WANTED


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a proposal says to the household; two that are equal need no second notice."""

    outcome: Outcome
    amount_fen: int | None
    period: Period | None
    level: Level
    lines: tuple[AmountLine, ...]
    reasons: tuple[Reason, ...]

    @classmethod
    def of(cls, outcome: Outcome, amount_fen: int | None, period: Period | None, level: Level,
           lines: Sequence[AmountLine], reasons: Sequence[Reason]) -> Proposal:
        """A proposal whose parts may come in any order."""
        return cls(outcome, amount_fen, period, level,
                   tuple(sorted(lines, key=lambda line: (line.code, str(line.person_id)))),
                   tuple(sorted(reasons, key=lambda reason: reason.code)))


def name_in_notice(masked_name: str, *, is_adult: bool) -> str:
    """The name shown to the neighbours: masked, and none at all for a minor."""
    return masked_name if is_adult else MINOR_IN_NOTICE


def posting_areas(owner: str, living_area: str) -> list[str]:
    """Where a notice is posted: the deciding place, and where the household lives."""
    return list(dict.fromkeys((owner, living_area)))


def notice_over(ends_on: date, *, on: date) -> bool:
    """True once the last day of the notice has gone. Rules read dates, never the arrival of an event."""
    return on > ends_on


def yuan(amount_fen: int) -> str:
    """A sum as people read it: `770.00`."""
    return f"{amount_fen // 100}.{amount_fen % 100:02d}"
