"""Approval as its tests drive it: events in, HTTP in, rows and events out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import asyncpg
import httpx

from contracts.envelope import EventEnvelope
from services.approval.consumers import consumers
from services.runtime.clock import LegalMoment
from services.runtime.context import Runtime
from services.runtime.database import EVERYWHERE, Database, Transaction
from services.runtime.dead_letter_limit import DeadLetterLimit
from services.runtime.handling import Handling
from services.runtime.tokens import Caller, TokenSigner
from tests.services.approval.builders import MONDAY, a_record, noon


class DatabaseOnDay(Database):
    """A database whose legal day the test sets: leaps would move the clock of every other test too."""

    today: date = MONDAY

    @asynccontextmanager
    async def transaction(self, jurisdiction: str = EVERYWHERE) -> AsyncIterator[Transaction]:
        async with super().transaction(jurisdiction) as tx:
            tx.clock = LegalMoment(now=noon(self.today), offset=timedelta(0), leap_number=0)
            yield tx


@dataclass
class Approval:
    """The service under test and what a test needs around it."""

    runtime: Runtime
    database: DatabaseOnDay
    idp: TokenSigner
    http: httpx.AsyncClient
    admin_dsn: str = field(repr=False)

    def on(self, day: date) -> Approval:
        """It is that legal day now."""
        self.database.today = day
        return self

    async def receive(self, *events: EventEnvelope[Any]) -> None:
        """One batch arrives from Kafka."""
        # The registered handlers, without the broker that brings the records.
        handling = Handling(self.runtime, consumers._handlers, DeadLetterLimit())
        await handling.batch([a_record(event) for event in events])

    async def rows(self, statement: str, *values: object) -> list[dict[str, Any]]:
        """Rows as the admin sees them."""
        connection = await asyncpg.connect(self.admin_dsn)
        try:
            return [dict(row) for row in await connection.fetch(statement, *values)]
        finally:
            await connection.close()

    async def events_of(self, item: EventEnvelope[Any]) -> list[str]:
        """Types of the events recorded about an item's case, in order."""
        found = await self.rows("select headers->>'ce_type' as type from approval.outbox where key = $1 order by id",
                                str(item.case_id))
        return [row["type"].removesuffix(".v1") for row in found]

    async def decision_of(self, item: EventEnvelope[Any]) -> dict[str, Any]:
        """The newest decision about an item."""
        return (await self.rows("select * from approval.decisions where item_id = $1 order by decision_id desc limit 1",
                                item.item_id))[0]

    async def item(self, item: EventEnvelope[Any]) -> dict[str, Any]:
        """Our copy of an item."""
        return (await self.rows("select * from approval.items where item_id = $1", item.item_id))[0]

    def officer(self, jurisdiction: str, number: int = 1, role: str = "officer") -> dict[str, str]:
        """Headers of an officer of that place."""
        caller = Caller(f"officer:{jurisdiction}:{number}", role, jurisdiction)
        return {"Authorization": f"Bearer {self.idp.person_token(caller, lifetime=timedelta(hours=1))}"}

    async def post(self, path: str, headers: dict[str, str], body: dict[str, Any] | None = None) -> httpx.Response:
        return await self.http.post(path, json=body or {}, headers=headers)
