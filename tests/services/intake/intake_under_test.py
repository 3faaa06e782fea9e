"""Intake on the real Postgres, over its HTTP interface, with its legal day in the test's hand."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx

from contracts.envelope import Event, EventEnvelope, Subject, new_id
from deploy.local.infrastructure import Infrastructure
from services.intake.close_items import close_items
from services.runtime.clock import LegalMoment
from services.runtime.context import Runtime
from services.runtime.database import EVERYWHERE, Database, Transaction
from services.runtime.tokens import Caller, TokenSigner
from tests.services.intake.forms import BAISHA, TODAY


class DatabaseOnDay(Database):
    """A database whose legal day the test sets: leaps would move the clock of every other test too."""

    today: date = TODAY

    @asynccontextmanager
    async def transaction(self, jurisdiction: str = EVERYWHERE) -> AsyncIterator[Transaction]:
        async with super().transaction(jurisdiction) as tx:
            noon = datetime(self.today.year, self.today.month, self.today.day, 4, tzinfo=UTC)
            tx.clock = LegalMoment(now=noon, offset=timedelta(0), leap_number=0)
            yield tx


@dataclass
class Intake:
    """The service under test and what a test needs around it."""

    runtime: Runtime
    database: DatabaseOnDay
    idp: TokenSigner
    stack: Infrastructure
    http: httpx.AsyncClient

    def token(self, subject: str, role: str = "citizen", jurisdiction: str | None = None) -> dict[str, str]:
        """Headers of a person."""
        caller = Caller(subject, role, jurisdiction)
        return {"Authorization": f"Bearer {self.idp.person_token(caller, lifetime=timedelta(hours=1))}"}

    def citizen(self) -> dict[str, str]:
        """A citizen whom nobody has seen before."""
        return self.token(f"citizen:{new_id()}")

    def officer(self, jurisdiction: str = BAISHA) -> dict[str, str]:
        return self.token(f"officer:{jurisdiction}:1", "officer", jurisdiction)

    def service(self, name: str) -> dict[str, str]:
        signer = TokenSigner.from_file(self.stack.secrets.signing_key_file(name))
        return {"Authorization": f"Bearer {signer.service_token('intake')}"}

    async def apply(
        self, form: dict[str, Any], caller: dict[str, str] | None = None, key: str | None = None
    ) -> httpx.Response:
        """Hand a form in."""
        headers = {**(caller or self.citizen()), "Idempotency-Key": key or f"key-{new_id()}"}
        return await self.http.post("/applications", json=form, headers=headers)

    async def rows(self, statement: str, *values: object) -> list[dict[str, Any]]:
        """Rows as the admin sees them."""
        connection = await asyncpg.connect(self.stack.database_dsn("admin"))
        try:
            return [dict(row) for row in await connection.fetch(statement, *values)]
        finally:
            await connection.close()

    async def count(self, table: str) -> int:
        return (await self.rows(f"select count(*) from intake.{table}"))[0]["count"]

    async def events_of(self, case_id: str) -> list[tuple[str, dict[str, Any]]]:
        """Type and data of what was recorded about a case, in order."""
        found = await self.rows("select headers, value from intake.outbox where key = $1 order by id", case_id)
        return [(json.loads(row["headers"])["ce_type"].removesuffix(".v1"), json.loads(row["value"])) for row in found]

    async def close(self, case_id: str, item_id: str, decided: Event) -> None:
        """A decision about the item arrives."""
        subject = Subject(case_id=UUID(case_id), item_id=UUID(item_id), jurisdiction=BAISHA)
        async with self.database.transaction() as tx:
            await close_items(tx, [EventEnvelope[Any].of(
                decided, subject, service="approval", time=tx.clock.now, rule_date=tx.clock.today
            )])
