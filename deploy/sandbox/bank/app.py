"""The bank's process. It opens the sealed account only when it books, as a real bank's back office would."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import httpx
import structlog
from fastapi import APIRouter, Response
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
from deploy.sandbox.bank.manner import Manner
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
        self.manner = Manner()
        self.handled = 0

    def take(self, batch: PaymentBatch) -> BatchResult:
        """Take a batch; an order that came before gets the same answer."""
        orders = [order for order in batch.orders if order.amount_fen not in self.manner.leaves_out_amounts]
        self.books.take([Taken(order=order, books_at=batch.legal_time + BOOKS_AFTER) for order in orders])
        self.handled += len(orders)
        named = [order.payment_id for order in orders] + ([new_id()] if self.manner.talks_of_strangers else [])
        return BatchResult(results=[OrderResult(payment_id=payment_id, status=OrderStatus.ACCEPTED)
                                    for payment_id in named])

    def turned_away(self, batch: PaymentBatch) -> int | None:
        """The status of a batch of which nothing is taken, where the bank is told to take nothing of it."""
        amounts = {order.amount_fen for order in batch.orders}
        if self.manner.away:
            return 503
        if amounts & self.manner.refuses_amounts:
            return 422
        return 500 if amounts & self.manner.fails_on_amounts else None

    def falls_silent(self) -> bool:
        """Whether the answer to what was just taken gets lost."""
        left = self.manner.takes_without_answer
        if left:
            self.manner = self.manner.model_copy(update={"takes_without_answer": left - 1})
        return left > 0

    def next_at(self) -> datetime | None:
        """When the next order is booked, or at once while the customer has yet to take lines."""
        moments = [taken.books_at for taken in self.books.unbooked.values()]
        moments += [line.booked_at for line in self.books.unsent.values()]
        return min(moments, default=None)

    async def act(self, legal_now: datetime, leap_number: int) -> int:
        """Book what is due, and send the statement."""
        due = [taken for taken in self.books.unbooked.values() if taken.books_at <= legal_now]
        twice = [taken for taken in due if taken.order.amount_fen in self.manner.settles_twice_amounts]
        self.books.book([self._book(taken, legal_now) for taken in (*due, *twice)])
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


def routes(bank: Bank) -> APIRouter:
    """What the bank answers: batches, its statement, and a test that tells it how to behave."""
    router = APIRouter()

    @router.post("/payment-batches")
    async def payment_batches(batch: PaymentBatch) -> Any:
        status = bank.turned_away(batch)
        if status is not None:
            return Response(status_code=status)
        result = bank.take(batch)
        if bank.falls_silent():
            return Response(status_code=504)
        return Response("{", media_type="application/json") if bank.manner.babbles else result

    @router.get("/statements")
    async def statements() -> Statement:
        return Statement.model_construct(lines=bank.books.lines)

    @router.post("/manner")
    async def manner(body: Manner) -> dict[str, str]:
        bank.manner = body
        return {"status": "taken"}

    return router


def main() -> None:
    """Run the bank."""
    settings = ActorSettings()  # pyright: ignore[reportCallIssue]  # filled from the environment
    if not (settings.idp_key_file and settings.recipient_private_keys_file and settings.data_folder):
        raise ValueError("ONETHING_IDP_KEY_FILE, ONETHING_RECIPIENT_PRIVATE_KEYS_FILE and ONETHING_DATA_FOLDER "
                         "are needed.")
    keys = KeySet.import_key_set(json.loads(settings.recipient_private_keys_file.read_text()))
    bank = Bank(settings, Books(settings.data_folder), keys, IdentityProvider(settings.idp_key_file))
    serve(actor_app("bank", bank, [routes(bank)]), settings)


if __name__ == "__main__":
    main()
