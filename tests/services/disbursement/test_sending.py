"""Orders to the bank: what cannot be paid is given back and holds up nobody else."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select
from sqlmodel import col

from contracts.events.decision import Period
from services.disbursement import send_to_bank as sending
from services.disbursement.models import PaymentRow
from services.disbursement.send_to_bank import send_to_bank, unsent
from services.runtime.circuit_breaker import FAILURES_MAX, CircuitBreakers
from services.runtime.clients import ServiceClient
from services.runtime.database import Database
from services.runtime.outside_party import PartyFailed
from tests.services.disbursement.test_payments import an_award, start

pytestmark = pytest.mark.asyncio(loop_scope="session")

WITHIN_SECONDS = 10


class Neighbours:
    """The vault, which does not know some payees and has no account of others, and a bank that takes every order."""

    def __init__(self, *, unknown: set[UUID], without_account: set[UUID]) -> None:
        self.unknown, self.without_account = unknown, without_account
        self.ordered: list[str] = []
        self.sealings_count = 0
        self.answers_after_sealings = 0
        """The bank answers only once so many requests to seal have come."""
        self.sealed = asyncio.Condition()

    async def answer(self, request: httpx.Request) -> httpx.Response:
        body: dict[str, Any] = json.loads(request.content)
        if request.url.host == "bank":
            async with self.sealed, asyncio.timeout(WITHIN_SECONDS):
                await self.sealed.wait_for(lambda: self.sealings_count >= self.answers_after_sealings)
            self.ordered += [order["payment_id"] for order in body["orders"]]
            return httpx.Response(200, json={"results": [
                {"payment_id": order["payment_id"], "status": "accepted"} for order in body["orders"]]})
        async with self.sealed:
            self.sealings_count += 1
            self.sealed.notify_all()
        if any(UUID(person["person_id"]) in self.unknown for person in body["persons"]):
            return httpx.Response(404, json={"code": "person_unknown"})
        return httpx.Response(200, json={"sealed": [
            {**person, "jwe": "jwe",
             "missing": ["bank_account"] if UUID(person["person_id"]) in self.without_account else []}
            for person in body["persons"]]})

    def runtime(self, database: Database) -> Any:
        return SimpleNamespace(
            database=database, breakers=CircuitBreakers(), url_of=lambda name: f"http://{name}",
            client=lambda url, audience: ServiceClient(url, audience, None, httpx.MockTransport(self.answer)),
        )


async def test_a_payee_who_cannot_be_paid_holds_up_nobody(database: Database) -> None:
    unknown, without_account, payable = [an_award(period=Period.ONCE) for _ in range(3)]
    await start(database, unknown, without_account, payable)
    neighbours = Neighbours(unknown={unknown.data.payee_person_id},
                            without_account={without_account.data.payee_person_id})
    runtime = neighbours.runtime(database)
    await send_to_bank(runtime)
    async with database.transaction() as tx:
        rows = await tx.session.scalars(select(PaymentRow).where(col(PaymentRow.award_id).in_(
            [award.data.award_id for award in (unknown, without_account, payable)])))
        found = {row.award_id: (row.state, row.reason_code) for row in rows}
    assert found == {
        unknown.data.award_id: ("returned", "payee_unknown"),
        without_account.data.award_id: ("returned", "no_account"),
        payable.data.award_id: ("accepted", None),
    }
    assert len(neighbours.ordered) == len(set(neighbours.ordered))
    assert (await unsent(runtime), await send_to_bank(runtime)) == (0, 0)


async def test_the_next_batch_is_sealed_while_the_bank_is_told_of_one(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await send_to_bank(Neighbours(unknown=set(), without_account=set()).runtime(database))  # what others left
    monkeypatch.setattr(sending, "ORDERS_PER_BATCH", 1)
    await start(database, *[an_award(period=Period.ONCE) for _ in range(3)])
    neighbours = Neighbours(unknown=set(), without_account=set())
    neighbours.answers_after_sealings = 2
    runtime = neighbours.runtime(database)
    assert await send_to_bank(runtime) == 3
    assert len(neighbours.ordered) == 3
    assert neighbours.ordered == sorted(neighbours.ordered)
    assert await unsent(runtime) == 0


async def test_a_bank_on_trial_is_told_of_one_batch_and_no_other_is_sealed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await send_to_bank(Neighbours(unknown=set(), without_account=set()).runtime(database))  # what others left
    monkeypatch.setattr(sending, "ORDERS_PER_BATCH", 1)
    await start(database, *[an_award(period=Period.ONCE) for _ in range(2)])
    neighbours = Neighbours(unknown=set(), without_account=set())
    runtime = neighbours.runtime(database)
    runtime.breakers = CircuitBreakers(open_seconds=0)
    for _ in range(FAILURES_MAX):
        with pytest.raises(PartyFailed), runtime.breakers.towards("bank").attempt(PartyFailed):
            raise PartyFailed("timeout")
    assert await send_to_bank(runtime) == 1
    assert (len(neighbours.ordered), neighbours.sealings_count) == (1, 1)
    assert await send_to_bank(runtime) == 1
