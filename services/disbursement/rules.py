"""Pure decisions of disbursement: which periods are owed, what a transfer posts, what a statement line means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from contracts.http.bank import LineKind, OrderResult

COUNTY_DIGITS = 6


REASON_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,59}", re.ASCII)
UNNAMED_REASON: Final = "other"
AFTER_BANK_FAILURES: Final = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1))
"""Legal time until a bank that failed is tried again; the last stands for all that follow: money is never given up."""
AFTER_ORDER_REFUSALS: Final = (timedelta(hours=1), timedelta(days=1), timedelta(days=3), timedelta(days=7))
"""The same for one order that the bank takes in no batch: somebody has to mend it."""


class PaymentState(StrEnum):
    """Where a payment stands."""

    INSTRUCTED = "instructed"
    """Committed in the ledger; the bank has not answered yet."""
    ACCEPTED = "accepted"
    """The bank took the order."""
    SETTLED = "settled"
    """The bank's statement shows it with the payee."""
    RETURNED = "returned"
    """The bank refused the order or gave the money back."""


@dataclass(frozen=True)
class Side:
    """One side of a transfer."""

    account: str
    amount_fen: int


def reason_code(told: str | None) -> str | None:
    """Why a payment came back, as a code; None where the bank gave no reason.

    Hazard: it travels in events and logs. What the bank writes in words could name the payee or the account.
    """
    if told is None:
        return None
    return told if REASON_CODE.fullmatch(told) else UNNAMED_REASON


def try_again_after(pauses: Sequence[timedelta], tries_count: int) -> timedelta:
    """How long to wait after so many waits before."""
    return pauses[min(tries_count, len(pauses) - 1)]


def paying_place(jurisdiction: str) -> str:
    """The county that pays what this town or county decided."""
    return jurisdiction[:COUNTY_DIGITS]


def month_of(day: date) -> date:
    """The period a day lies in, as the first day of its month."""
    return day.replace(day=1)


def pool(place: str, benefit: str) -> str:
    """The budget line a benefit is paid from."""
    return f"pool:{place}:{benefit}"


def instruct(place: str, benefit: str, amount_fen: int) -> tuple[Side, Side]:
    """The money leaves the budget line and is on its way."""
    return Side(pool(place, benefit), -amount_fen), Side("in_transit", amount_fen)


def settle(amount_fen: int) -> tuple[Side, Side]:
    """The money is with the payee."""
    return Side("in_transit", -amount_fen), Side("paid", amount_fen)


def give_back(place: str, benefit: str, amount_fen: int, state: PaymentState) -> tuple[Side, Side]:
    """The money is back in the budget line, from wherever it had got to."""
    came_from = "paid" if state is PaymentState.SETTLED else "in_transit"
    return Side(came_from, -amount_fen), Side(pool(place, benefit), amount_fen)


@dataclass(frozen=True)
class BankSaid:
    """What the bank said to a batch."""

    results: list[OrderResult]
    """Its word on orders of this batch, each once."""
    left_out: set[UUID]
    contradicted: set[UUID]
    """Orders it said two different things about: neither is believed."""
    strange_count: int
    """Words about orders that were not in this batch."""


def bank_said(ordered: Set[UUID], results: Iterable[OrderResult]) -> BankSaid:
    """Take apart what the bank said; of a word about another batch's orders nothing is believed."""
    each: dict[UUID, OrderResult] = {}
    contradicted: set[UUID] = set()
    strange_count = 0
    for result in results:
        if result.payment_id not in ordered:
            strange_count += 1
        elif each.setdefault(result.payment_id, result) != result:
            contradicted.add(result.payment_id)
    believed = [result for payment_id, result in each.items() if payment_id not in contradicted]
    return BankSaid(believed, set(ordered) - each.keys(), contradicted, strange_count)


@dataclass(frozen=True)
class Line:
    """A new line of the bank's statement."""

    line_id: UUID
    payment_id: UUID
    kind: LineKind
    amount_fen: int


def matches(line: Line, *, state: PaymentState | None, amount_fen: int | None) -> bool:
    """Whether a line fits the payment it names.

    Hazard: a bank may settle twice, settle a sum we did not order, or name a payment that is not ours. None of
    these may move the ledger; they wait on a person.
    """
    if state is None or line.amount_fen != amount_fen:
        return False
    if line.kind is LineKind.SETTLED:
        return state in (PaymentState.INSTRUCTED, PaymentState.ACCEPTED)
    return state is not PaymentState.RETURNED
