"""The service under test and what a test needs around it: its clock, a vault, the city's sources."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from fastapi import FastAPI
from pydantic import BaseModel, SecretStr

from contracts import catalogue
from contracts.benefits import Source
from contracts.envelope import EventEnvelope
from contracts.events.item import ItemAccepted
from contracts.http.vault import Seal, SealAnswer, Sealed
from deploy.sandbox.identities import identity_number
from deploy.sandbox.sources.app import Sources
from deploy.sandbox.sources.facts import Asked, Facts, Told, person_sha256
from deploy.sandbox.tokens import IdentityProvider
from services.intake.recipient_keys import RecipientKeys
from services.runtime.circuit_breaker import CircuitBreakers
from services.runtime.clock import LegalMoment
from services.runtime.context import Runtime
from services.runtime.database import EVERYWHERE, Database, Transaction
from services.runtime.dead_letter_limit import DeadLetterLimit
from services.runtime.handling import Handling
from services.verification.ask_sources import ask_sources, questions_pending
from services.verification.consumers import consumers
from services.verification.recorded_waits import next_wait_ends_at
from tests.services.verification.builders import BAISHA, MONDAY_NOON, a_record

BOUND_SECONDS = 30
CIRCUIT_OPEN_SECONDS = 0.2
WRONG_RECIPIENT = "bank"
"""The one that is paid through: no data source."""
POLL_SECONDS = 0.02


class DatabaseAtNoon(Database):
    """A database whose legal time the test sets: leaps would move the clock of every other test too."""

    now: datetime = MONDAY_NOON

    @asynccontextmanager
    async def transaction(self, jurisdiction: str = EVERYWHERE) -> AsyncIterator[Transaction]:
        async with super().transaction(jurisdiction) as tx:
            tx.clock = LegalMoment(now=self.now, offset=timedelta(0), leap_number=0)
            yield tx


class Vault:
    """Stands for intake's vault: seals made-up identifiers to the recipient's real key."""

    def __init__(self, recipient_keys_file: Path) -> None:
        self.requests: list[Seal] = []
        self.unknown: set[UUID] = set()
        self.sealed_wrongly: set[UUID] = set()
        """Persons whom no source can read: sealed for somebody else."""
        self.down = False
        self._keys = RecipientKeys.from_file(recipient_keys_file)
        self.app = FastAPI()
        self.app.post("/vault/seal")(self.seal)

    async def seal(self, request: Seal) -> Any:
        from fastapi.responses import JSONResponse

        self.requests.append(request)
        if self.down:
            return JSONResponse({}, status_code=503)
        if self.unknown.intersection(person.person_id for person in request.persons):
            return JSONResponse({"code": "person_unknown"}, status_code=404)
        return SealAnswer(sealed=[Sealed(person_id=person.person_id, case_id=person.case_id,
                                         jwe=self._sealed(person.person_id, request.recipient))
                                  for person in request.persons])

    def _sealed(self, person_id: UUID, recipient: str) -> str:
        identifiers = json.dumps({"name": "某", "identity_number": number_of(person_id)})
        agreement = self._keys.agree(WRONG_RECIPIENT if person_id in self.sealed_wrongly else recipient)
        return agreement.encrypt(identifiers.encode())


def number_of(person_id: UUID) -> str:
    """The made-up identity number of a person."""
    return identity_number(str(person_id), "某", date(1961, 4, 2), "500116")


@dataclass
class Verification:
    """Verification, its neighbours, and what they were told."""

    runtime: Runtime
    http: httpx.AsyncClient
    sources: Sources
    vault: Vault
    admin_dsn: str
    identities: IdentityProvider
    handling: Handling = field(init=False)

    def __post_init__(self) -> None:
        # The registered handlers, without the broker that brings the records.
        self.handling = Handling(self.runtime, consumers._handlers, DeadLetterLimit())

    def on(self, day: date) -> None:
        """It is noon of that legal day now."""
        self.at(datetime.combine(day, time(4), UTC))

    def at(self, moment: datetime) -> None:
        """Legal time has leapt to this moment."""
        assert isinstance(self.runtime.database, DatabaseAtNoon)
        self.runtime.database.now = moment

    def restart(self) -> None:
        """What only the process knew is gone; the database stays."""
        self.runtime.breakers = CircuitBreakers(open_seconds=CIRCUIT_OPEN_SECONDS)

    async def receive(self, *events: EventEnvelope[Any]) -> None:
        """One batch arrives from Kafka."""
        await self.handling.batch([a_record(event, catalogue.topic_of(event.type)) for event in events])

    async def ask(self) -> None:
        """Let the loop ask until nothing is due or under way."""
        async with asyncio.timeout(BOUND_SECONDS):
            while await questions_pending(self.runtime):
                if not await ask_sources(self.runtime):
                    await asyncio.sleep(POLL_SECONDS)

    async def ask_what_is_due_soon(self) -> None:
        """The same, but what rests for longer than the quick attempts stays due."""
        async with asyncio.timeout(BOUND_SECONDS):
            while await self.execute("select from verification.queries where state in ('due', 'asking') "
                                     "and ask_from < clock_timestamp() + interval '5 seconds'"):
                if not await ask_sources(self.runtime):
                    await asyncio.sleep(POLL_SECONDS)

    async def wait_out(self) -> list[datetime]:
        """Let legal time leap from wait to wait, asking at each, until none is left; return the moments."""
        assert isinstance(self.runtime.database, DatabaseAtNoon)
        moments: list[datetime] = []
        while (moment := await next_wait_ends_at(self.runtime)) is not None:
            self.runtime.database.now = moment
            moments.append(moment)
            await self.ask()
        return moments

    async def question(self, item: EventEnvelope[Any], source: str) -> dict[str, Any]:
        """The question about the applicant to one source, as an officer sees it."""
        [one] = [one for one in (await self.case(item))["means_check"]["questions"]
                 if one["source"] == source and one["person_id"] == str(item.data.applicant_person_id)]
        return one

    def tell(self, person_id: UUID, **told: Told) -> None:
        """What sources, by name, say about a person."""
        self.sources.tell(Facts(identity_number=SecretStr(number_of(person_id)),
                                answers={Source(source): one for source, one in told.items()}))

    def asked(self, person_id: UUID) -> list[Asked]:
        """The questions about a person that reached a source."""
        person = person_sha256(number_of(person_id))
        return [asked for asked in self.sources.ledger.asked if asked.person_sha256 == person]

    async def execute(self, statement: str, *values: object) -> list[dict[str, Any]]:
        """Run a statement as the admin."""
        connection = await asyncpg.connect(self.admin_dsn)
        try:
            return [dict(row) for row in await connection.fetch(statement, *values)]
        finally:
            await connection.close()

    async def events(self, item: EventEnvelope[Any], event_type: str = "%") -> list[dict[str, Any]]:
        """The events recorded about an item's case, in order: their data, with `type` and `item_id`."""
        rows = await self.execute(
            "select headers->>'ce_type' as type, headers->>'ce_itemid' as item_id, value from verification.outbox "
            "where key = $1 and headers->>'ce_type' like $2 order by id", str(item.case_id), event_type)
        return [{**json.loads(row["value"]), "type": row["type"].removesuffix(".v1"), "item_id": row["item_id"]}
                for row in rows]

    async def event_types(self, item: EventEnvelope[Any]) -> list[str]:
        """Only their types."""
        return [event["type"] for event in await self.events(item)]

    async def facts(self, item: EventEnvelope[ItemAccepted]) -> dict[str, Any]:
        """The values sent with the newest revision of an item's evidence."""
        completed = [event for event in await self.events(item, "verification.completed%")
                     if event["item_id"] == str(item.item_id)]
        return {fact["name"]: fact["value"] for fact in completed[-1]["facts"]}

    async def visit_id(self, item: EventEnvelope[Any]) -> str:
        """The visit ordered last for this case."""
        return (await self.events(item, "visit.ordered%"))[-1]["visit_id"]

    async def case(self, item: EventEnvelope[Any], *, jurisdiction: str = BAISHA) -> dict[str, Any]:
        """`GET /cases/{id}` as an officer of a place."""
        response = await self.http.get(f"/cases/{item.case_id}", headers=self.officer(jurisdiction))
        assert response.status_code == 200, response.text
        return response.json()

    def officer(self, jurisdiction: str = BAISHA, number: int = 1) -> dict[str, str]:
        """Headers of an officer of that place."""
        return self.identities.headers("officer", f"officer:{jurisdiction}:{number}", jurisdiction=jurisdiction)

    async def post(self, path: str, body: BaseModel | None = None,
                   headers: dict[str, str] | None = None) -> httpx.Response:
        """POST as an officer of Baisha where no other headers are given."""
        return await self.http.post(path, content=body.model_dump_json() if body else "{}",
                                    headers={"Content-Type": "application/json", **(headers or self.officer())})

    async def report(self, item: EventEnvelope[Any], body: BaseModel) -> httpx.Response:
        """Report the visit to this household."""
        return await self.post(f"/visits/{await self.visit_id(item)}/report", body)
