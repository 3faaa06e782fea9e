"""The ledger: append-only postings whose transfers balance. Balances are sums of postings, never stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from contracts.envelope import new_id
from services.disbursement.models import PostingRow
from services.disbursement.rules import Side
from services.runtime.bulk_insert import bulk_insert
from services.runtime.database import Transaction


@dataclass(frozen=True, slots=True)
class Transfer:
    """Money of one payment moving from one account to another."""

    payment_id: UUID
    jurisdiction: str
    sides: tuple[Side, Side]


async def post(tx: Transaction, transfers: Sequence[Transfer]) -> None:
    """Write both sides of each transfer. The database refuses a transfer that does not add up to nothing."""
    rows = [
        {"transfer_id": transfer_id, "account": side.account, "payment_id": transfer.payment_id,
         "jurisdiction": transfer.jurisdiction, "amount_fen": side.amount_fen, "posted_at": tx.clock.now}
        for transfer_id, transfer in ((new_id(), transfer) for transfer in transfers)
        for side in transfer.sides
    ]
    await bulk_insert(tx, {PostingRow: rows})
