"""Pure decisions of disbursement: which periods are owed, what a transfer posts, what a statement line means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID

from contracts.http.bank import LineKind

COUNTY_DIGITS = 6


REASON_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,59}", re.ASCII)
UNNAMED_REASON: Final = "other"


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
