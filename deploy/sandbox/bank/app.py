"""The bank's process. It opens the sealed account only when it books, as a real bank's back office would."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from itertools import islice

import httpx
import structlog
from fastapi import APIRouter
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from contracts.envelope import new_id
from contracts.http.bank import (
    BatchResult,
    LineKind,
    OrderResult,
    OrderStatus,
    PaymentBatch,
    Statement,
    StatementLine,
)
from deploy.sandbox.actor import ActorSettings, QuietActor, actor_app, serve
from deploy.sandbox.bank.books import Books, Taken
from deploy.sandbox.tokens import IdentityProvider

log = structlog.get_logger()

BOOKS_AFTER = timedelta(hours=2)
SUBJECT = "actor:bank"
LINES_PER_STATEMENT = 500


class Bank(QuietActor):
    """Takes orders, books them two hours later, sends its customer the statement."""

    def __init__(self, settings: ActorSettings, books: Books, keys: KeySet, identities: IdentityProvider) -> None:
        self._settings = settings
        self._keys = keys
        self._identities = identities
        self._client = httpx.AsyncClient(timeout=20)
        self.books = books
        self.handled = 0

    def take(self, batch: PaymentBatch) -> BatchResult:
        """Take a batch; an order that came before gets the same answer."""
        self.books.take([Taken(order=order, books_at=batch.legal_time + BOOKS_AFTER)
                         for order in batch.orders])
        self.handled += len(batch.orders)
        return BatchResult(results=[OrderResult(payment_id=order.payment_id, status=OrderStatus.ACCEPTED)
                                    for order in batch.orders])

    def next_at(self) -> datetime | None:
        """When the next order is booked, or at once while the customer has yet to take lines."""
        moments = [taken.books_at for taken in self.books.unbooked.values()]
        moments += [line.booked_at for line in self.books.unsent.values()]
        return min(moments, default=None)

    async def act(self, legal_now: datetime, leap_number: int) -> int:
        """Book what is due, and send the statement."""
        due = [taken for taken in self.books.unbooked.values() if taken.books_at <= legal_now]
        self.books.book([self._book(taken, legal_now) for taken in due])
        return len(due) + await self.send_statement()

    async def send_statement(self) -> int:
        """Send lines that the customer does not have; while it is unreachable they stay pending."""
        sent = 0
        while lines := list(islice(self.books.unsent.values(), LINES_PER_STATEMENT)):
            try:
                response = await self._client.post(
                    f"{self._settings.disbursement_url}/bank/statements",
                    content=Statement(lines=lines).model_dump_json(),
                    headers={"Content-Type": "application/json", **self._identities.headers("actor", SUBJECT)},
                )
            except httpx.TransportError:
                return sent
            if response.is_error:
                log.warning("bank.statement_refused", status=response.status_code)
                return sent
            self.books.acknowledge([line.line_id for line in lines])
            sent += len(lines)
        return sent

    def _book(self, taken: Taken, legal_now: datetime) -> StatementLine:
        order = taken.order
        reason = None
        try:
            payee = json.loads(jwe.decrypt_compact(order.payee, self._keys).plaintext or b"{}")
            if not payee.get("bank_account"):
                reason = "no_account"
        except (JoseError, ValueError):
            reason = "payee_unreadable"
        return StatementLine(line_id=new_id(), payment_id=order.payment_id, amount_fen=order.amount_fen,
                             kind=LineKind.RETURNED if reason else LineKind.SETTLED, booked_at=legal_now,
                             reason_code=reason)


def main() -> None:
    """Run the bank."""
    settings = ActorSettings()  # pyright: ignore[reportCallIssue]  # filled from the environment
    if not (settings.idp_key_file and settings.recipient_private_keys_file and settings.data_folder):
        raise ValueError("ONETHING_IDP_KEY_FILE, ONETHING_RECIPIENT_PRIVATE_KEYS_FILE and ONETHING_DATA_FOLDER "
                         "are needed.")
    keys = KeySet.import_key_set(json.loads(settings.recipient_private_keys_file.read_text()))
    bank = Bank(settings, Books(settings.data_folder), keys, IdentityProvider(settings.idp_key_file))
    router = APIRouter()

    @router.post("/payment-batches")
    async def payment_batches(batch: PaymentBatch) -> BatchResult:
        return bank.take(batch)

    @router.get("/statements")
    async def statements() -> Statement:
        return Statement.model_construct(lines=bank.books.lines)

    serve(actor_app("bank", bank, [router]), settings)


if __name__ == "__main__":
    main()
