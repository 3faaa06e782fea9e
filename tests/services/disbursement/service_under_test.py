"""Disbursement with the sandbox's bank behind real HTTP messages, a vault that seals, and a clock the test sets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from fastapi import FastAPI
from joserfc.jwk import KeySet

from contracts.http.vault import Seal, SealAnswer, Sealed
from deploy.local.infrastructure import Infrastructure
from deploy.sandbox.actor import ActorSettings, actor_app
from deploy.sandbox.bank.app import Bank, routes
from deploy.sandbox.bank.books import Books
from deploy.sandbox.bank.manner import Manner
from deploy.sandbox.tokens import IdentityProvider
from services.disbursement.api import router
from services.disbursement.send_to_bank import send_to_bank, unsent
from services.disbursement.settings import DisbursementSettings
from services.intake.recipient_keys import RecipientKeys
from services.runtime.circuit_breaker import CircuitBreakers
from services.runtime.clients import ServiceClient
from services.runtime.clock import LegalMoment
from services.runtime.context import Runtime
from services.runtime.database import EVERYWHERE, Database, Transaction
from services.runtime.http import create_app
from services.runtime.outside_party import PartyFailed
from services.runtime.tokens import TokenSigner

INTAKE, BANK = "http://intake", "http://bank"
NOON = datetime(2025, 1, 16, 4, tzinfo=UTC)
BOUND_SECONDS = 30
CIRCUIT_OPEN_SECONDS = 0.1


class DatabaseAt(Database):
    """A database whose legal time the test sets."""

    now: datetime = NOON

    @asynccontextmanager
    async def transaction(self, jurisdiction: str = EVERYWHERE) -> AsyncIterator[Transaction]:
        async with super().transaction(jurisdiction) as tx:
            tx.clock = LegalMoment(now=self.now, offset=timedelta(0), leap_number=0)
            yield tx


@dataclass
class Disbursement:
    """The service, its bank, and what the bank was asked."""

    runtime: Runtime
    database: DatabaseAt
    http: httpx.AsyncClient
    bank: Bank
    identities: IdentityProvider
    admin_dsn: str
    batches: list[list[UUID]]

    def at(self, moment: datetime) -> None:
        """Legal time has leapt to this moment."""
        self.database.now = moment

    def restart(self) -> None:
        """What only the process knew is gone; the database stays."""
        self.runtime.breakers = CircuitBreakers(open_seconds=CIRCUIT_OPEN_SECONDS)

    async def send(self) -> None:
        """Let the loop send until nothing is left that is to be sent now."""
        async with asyncio.timeout(BOUND_SECONDS):
            while await unsent(self.runtime):
                try:
                    sent = await send_to_bank(self.runtime)
                except PartyFailed:
                    continue  # as the loop does, which only pauses between
                if not sent:
                    await asyncio.sleep(CIRCUIT_OPEN_SECONDS / 5)

    async def book(self) -> None:
        """The bank books what it took, two hours later, and sends its statement."""
        await self.bank.act(self.database.now + timedelta(hours=2), 1)

    def behave(self, **manner: Any) -> None:
        """From now on the bank behaves like this."""
        self.bank.manner = Manner(**manner)

    async def get(self, path: str) -> Any:
        """GET as an operator."""
        answer = await self.http.get(path, headers=self.identities.headers("operator", "operator:1"))
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def rows(self, statement: str, *values: object) -> list[dict[str, Any]]:
        """Run a statement as the admin."""
        connection = await asyncpg.connect(self.admin_dsn)
        try:
            return [dict(row) for row in await connection.fetch(statement, *values)]
        finally:
            await connection.close()


@asynccontextmanager
async def running(stack: Infrastructure, folder: Path) -> AsyncIterator[Disbursement]:
    """The service on the stack's database, in which nothing is left to be sent."""
    runtime, database = _runtime(stack)
    http = httpx.AsyncClient(transport=httpx.ASGITransport(create_app("disbursement", [router], runtime)),
                             base_url="http://disbursement")
    identities = IdentityProvider(stack.secrets.signing_key_file("idp"))
    bank = _bank(stack, folder, http, identities)
    signer = TokenSigner.from_file(stack.secrets.signing_key_file("disbursement"))
    batches: list[list[UUID]] = []
    city = _Recorded(httpx.ASGITransport(actor_app("bank", bank, [routes(bank)])), batches)
    runtime._clients[INTAKE, "intake"] = ServiceClient(INTAKE, "intake", signer, httpx.ASGITransport(_vault(stack)))
    runtime._clients[BANK, "bank"] = ServiceClient(BANK, "bank", signer, city)
    service = Disbursement(runtime, database, http, bank, identities, stack.database_dsn("admin"), batches)
    for statement in ("update disbursement.payments set state = 'accepted' where state = 'instructed'",
                      "delete from disbursement.order_waits", "delete from disbursement.bank_waits"):
        await service.rows(statement)
    yield service
    await http.aclose()
    await runtime.close()


class _Recorded(httpx.AsyncBaseTransport):
    """Keeps which payments each batch held."""

    def __init__(self, transport: httpx.AsyncBaseTransport, batches: list[list[UUID]]) -> None:
        self._transport = transport
        self._batches = batches

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._batches.append([UUID(order["payment_id"]) for order in json.loads(request.content)["orders"]])
        return await self._transport.handle_async_request(request)


def _runtime(stack: Infrastructure) -> tuple[Runtime, DatabaseAt]:
    secrets = stack.secrets
    settings = DisbursementSettings(
        env="demo", database_dsn=stack.database_dsn("disbursement"), temporal_address=stack.temporal_address,
        http_port=1, payload_key=secrets.symmetric_key("PAYLOAD_KEY"), kafka_bootstrap=stack.kafka_bootstrap,
        trusted_keys_file=secrets.trusted_keys_file, signing_key_file=secrets.signing_key_file("disbursement"),
        intake_url=INTAKE, bank_url=BANK,
    )
    runtime = Runtime("disbursement", settings)
    runtime.breakers = CircuitBreakers(open_seconds=CIRCUIT_OPEN_SECONDS)
    database = DatabaseAt(settings.database_dsn, service="disbursement", settings=settings, nudge=runtime.nudge)
    database.runtime = runtime
    runtime.database = database
    return runtime, database


def _bank(stack: Infrastructure, folder: Path, http: httpx.AsyncClient, identities: IdentityProvider) -> Bank:
    keys = KeySet.import_key_set(json.loads(stack.secrets.private_keys_file("bank").read_text()))
    settings = ActorSettings(http_port=1, disbursement_url="http://disbursement")
    bank = Bank(settings, Books(folder), keys, identities)
    bank._client = http
    return bank


def _vault(stack: Infrastructure) -> FastAPI:
    keys = RecipientKeys.from_file(stack.secrets.recipient_keys_file)
    identifiers = json.dumps({"name": "某", "bank_account": "6200000000000000"}).encode()
    vault = FastAPI()

    @vault.post("/vault/seal")
    async def seal(request: Seal) -> SealAnswer:
        return SealAnswer(sealed=[
            Sealed(person_id=one.person_id, case_id=one.case_id, jwe=keys.agree(request.recipient).encrypt(identifiers))
            for one in request.persons])

    return vault
