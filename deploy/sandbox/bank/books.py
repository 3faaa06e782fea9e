"""The bank's own books: a file of lines, so that what it promised survives its being killed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from uuid import UUID

from pydantic import BaseModel

from contracts.http.bank import PaymentOrder, StatementLine


class Taken(BaseModel):
    """An order as the bank took it."""

    order: PaymentOrder
    books_at: datetime


class Entry(BaseModel):
    """One line of the file: an order taken, a line booked, or lines the customer has acknowledged."""

    taken: Taken | None = None
    booked: StatementLine | None = None
    acknowledged: list[UUID] | None = None


class Books:
    """What the bank knows; every change is a line in the file before it is answered."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "bank.jsonl"
        self.payment_ids: set[UUID] = set()
        self.lines: list[StatementLine] = []
        self.unbooked: dict[UUID, Taken] = {}
        self.unsent: dict[UUID, StatementLine] = {}
        written = path.read_bytes() if path.exists() else b""
        # Hazard: a kill may have cut the last line short. Its order was never answered, so it comes again.
        whole = written[: written.rfind(b"\n") + 1]
        for text in whole.splitlines():
            self._apply(Entry.model_validate_json(text))
        self._file = path.open("ab")
        self._file.truncate(len(whole))

    def take(self, orders: list[Taken]) -> None:
        """Take orders; those that came before are passed over."""
        self._write([Entry(taken=order) for order in orders if order.order.payment_id not in self.payment_ids])

    def book(self, lines: list[StatementLine]) -> None:
        """Book lines of the statement."""
        self._write([Entry(booked=line) for line in lines])

    def acknowledge(self, line_ids: list[UUID]) -> None:
        """The customer has these lines."""
        self._write([Entry(acknowledged=line_ids)])

    def _write(self, entries: list[Entry]) -> None:
        self._file.writelines(entry.model_dump_json(exclude_none=True).encode() + b"\n" for entry in entries)
        self._file.flush()
        for entry in entries:
            self._apply(entry)

    def _apply(self, entry: Entry) -> None:
        if entry.taken:
            payment_id = entry.taken.order.payment_id
            self.payment_ids.add(payment_id)
            self.unbooked[payment_id] = entry.taken
        if entry.booked:
            self.lines.append(entry.booked)
            self.unsent[entry.booked.line_id] = entry.booked
            self.unbooked.pop(entry.booked.payment_id, None)
        for line_id in entry.acknowledged or ():
            self.unsent.pop(line_id, None)
