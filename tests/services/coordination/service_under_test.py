"""Coordination as its tests drive it: events in, activities called, HTTP in, rows and events out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import httpx

from contracts.envelope import EventEnvelope
from services.coordination.consumers import consumers
from services.runtime.clock import LegalMoment
from services.runtime.context import Runtime
from services.runtime.database import EVERYWHERE, Database, Transaction
from services.runtime.dead_letter_limit import DeadLetterLimit
from services.runtime.handling import Handling
from services.runtime.tokens import Caller, TokenSigner
from tests.services.coordination.builders import MONDAY, a_record, noon


class DatabaseAt(Database):
    """A database whose legal time the test sets: leaps would move the clock of every other test too."""

    now: datetime = noon(MONDAY)
    leap_number: int = 0

    @asynccontextmanager
    async def transaction(self, jurisdiction: str = EVERYWHERE) -> AsyncIterator[Transaction]:
        async with super().transaction(jurisdiction) as tx:
            tx.clock = LegalMoment(now=self.now, offset=timedelta(0), leap_number=self.leap_number)
            yield tx


@dataclass
class Coordination:
    """The service under test and what a test needs around it."""

    runtime: Runtime
    database: DatabaseAt
    idp: TokenSigner
    admin_dsn: str
    http: httpx.AsyncClient

    def at(self, moment: datetime) -> Coordination:
        """It is that legal moment now."""
        self.database.now = moment
        return self

    async def receive(self, *events: EventEnvelope[Any]) -> None:
        """One batch arrives from Kafka, in this order."""
        # The registered handlers, without the broker that brings the records.
        handling = Handling(self.runtime, consumers._handlers, DeadLetterLimit())
        await handling.batch([a_record(event) for event in events])

    async def do(self, use_case: Any, *arguments: Any) -> Any:
        """One use case in a transaction of its own."""
        async with self.database.transaction() as tx:
            return await use_case(tx, *arguments)

    async def rows(self, statement: str, *values: object) -> list[dict[str, Any]]:
        """Rows as the admin sees them."""
        connection = await asyncpg.connect(self.admin_dsn)
        try:
            return [dict(row) for row in await connection.fetch(statement, *values)]
        finally:
            await connection.close()

    async def events_of(self, case_id: object) -> list[str]:
        """Types of the events recorded about a case, in order."""
        found = await self.rows(
            "select headers->>'ce_type' as type from coordination.outbox where key = $1 order by id", str(case_id)
        )
        return [row["type"].removesuffix(".v1") for row in found]

    async def signals_of(self, case_id: object) -> list[str]:
        """What the bridge has to send about a case, in order."""
        found = await self.rows("select name from coordination.pending_signals where case_id = $1 order by id", case_id)
        return [row["name"] for row in found]

    def token(self, role: str, jurisdiction: str | None = None, department: str | None = None) -> dict[str, str]:
        """Headers of a caller."""
        caller = Caller(f"{role}:{jurisdiction or department or 'x'}:1", role, jurisdiction, department=department)
        return {"Authorization": f"Bearer {self.idp.person_token(caller, lifetime=timedelta(hours=1))}"}
