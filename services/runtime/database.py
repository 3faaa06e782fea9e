"""The one way into a service's schema: a transaction that knows its jurisdiction, its legal time and its events."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol
from uuid import UUID

from sqlalchemy import exc
from sqlalchemy.ext.asyncio import AsyncSession

from contracts.envelope import Event, EventEnvelope, Subject
from services.runtime import kept_events, outbox
from services.runtime.clock import LEAPT_CLOCK_SQL, MACHINE_CLOCK_SQL, LegalMoment
from services.runtime.connections import Connections, OpenConnection
from services.runtime.problems import Unavailable

if TYPE_CHECKING:
    from services.runtime.context import Runtime

EVERYWHERE: Final = "*"
RELAY: Final = "relay"
JURISDICTION: Final = re.compile(r"\*|\d{2,12}", re.ASCII)
UNAVAILABLE_STATES: Final = ("08", "53", "57P", "58")
"""SQLSTATE classes of a server that cannot serve now: connection, resources, shutdown, system error."""


class DatabaseUnavailable(Unavailable):
    """The database does not serve just now. Nothing was decided: the same work may be tried again later."""


class CaseNotLocked(Exception):
    """An event was recorded for a case whose lock this transaction does not hold."""


class DatabaseSettings(Protocol):
    """What the database needs of the settings."""

    @property
    def env(self) -> str: ...


class Transaction:
    """One unit of work of one service. Everything it records becomes visible together, or not at all."""

    def __init__(
        self, connection: OpenConnection, *, clock: LegalMoment, jurisdiction: str, service: str
    ) -> None:
        self._connection = connection
        self.driver: Any = connection.driver
        """The asyncpg connection inside this transaction, for bulk statements."""
        self.clock = clock
        self.jurisdiction = jurisdiction
        self.service = service
        self.runtime: Runtime
        self.causes: dict[UUID, EventEnvelope[Any]] = {}
        """Case → the event being handled: the cause of what is recorded for that case meanwhile."""
        self.kept = kept_events.Kept()
        self.nudged: set[str] = set()
        self._locked: set[UUID] = set()
        self._outbox: list[outbox.OutboxRow] = []

    @property
    def session(self) -> AsyncSession:
        """For rows as objects, in the same transaction. Costs more than the driver: hot paths do without."""
        return self._connection.session

    async def lock_cases(self, *case_ids: UUID) -> None:
        """Lock cases of this service until the end of the transaction: one writer per case.

        Hazard: call it once with all cases, before reading them. A second call may meet another transaction
        that locks in the other order; Postgres then ends one of the two, which is retried.
        """
        wanted = set(case_ids) - self._locked
        if not wanted:
            return
        # The locks are taken in key order; the function's result is void, so no row comes back.
        await self.driver.execute(
            "select from unnest($1::bigint[]) as key where pg_advisory_xact_lock(key) is null",
            sorted(_lock_key(self.service, case_id) for case_id in wanted),
        )
        self._locked |= wanted

    def made_case(self, case_id: UUID) -> None:
        """This transaction makes the case: nobody else knows its id before the commit, so no lock is needed."""
        self._locked.add(case_id)

    def record(
        self, event: Event, subject: Subject, *, topic: str | None = None, fields: frozenset[str] | None = None
    ) -> EventEnvelope[Any]:
        """Say what happened; it is published after the commit, in order per case within its topic.

        `topic` publishes it there instead of on its own topic, and `fields` lets only these fields of it out:
        what the catalogue grants one reader. Raises CaseNotLocked, or outbox.EventRefused for an event that
        could not be published.
        """
        if subject.case_id not in self._locked:
            raise CaseNotLocked(f"{event.TYPE}: case {subject.case_id} is not locked. Call lock_cases before.")
        cause = self.causes.get(subject.case_id)
        if cause is not None and subject.correlation_id is None:
            correlation_id = cause.subject.correlation_id
            if correlation_id != subject.case_id:  # the case id is what readers take where none is given
                subject = subject.model_copy(update={"correlation_id": correlation_id})
        envelope = EventEnvelope[Any].of(
            event, subject, service=self.service, time=self.clock.now, rule_date=self.clock.today,
            causation_id=cause.id if cause is not None else None,
        )
        self._outbox.append(outbox.row_of(envelope, topic=topic, fields=fields))
        return envelope

    def wait_for(self, envelope: EventEnvelope[Any], key: str) -> None:
        """Keep an event that came before its cause; it is handled again when `arrived(key)` is called."""
        self.kept.wait_for(envelope, key)

    def arrived(self, *keys: str) -> None:
        """The causes with these keys are here: events kept for them are handled now (or right after HTTP)."""
        self.kept.arrived(*keys)

    def nudge(self, loop_name: str) -> None:
        """Wake that loop once this transaction is committed."""
        self.nudged.add(loop_name)

    async def write_buffered(self) -> None:
        """Write what was recorded and kept; the last statements before the commit."""
        if self._outbox:
            await outbox.insert(self.driver, self.service, self._outbox)
            self._outbox = []
            self.nudged.add(RELAY)
        if await self.kept.write(self.driver, self.service):
            self.nudged.add(kept_events.LOOP)


class Database:
    """A bounded pool of connections of one service's role. Connects when first used."""

    def __init__(
        self, dsn: str, *, service: str, settings: DatabaseSettings, nudge: Callable[[str], None]
    ) -> None:
        self.dsn = dsn
        self.service = service
        self.runtime: Runtime | None = None
        self._nudge = nudge
        clock_sql = MACHINE_CLOCK_SQL if settings.env == "production" else LEAPT_CLOCK_SQL
        self._open_sql = clock_sql.replace(
            "select ", "select set_config('onething.jurisdiction', $1, true), ", 1
        )
        self._connections = Connections(dsn, application_name=service)

    @asynccontextmanager
    async def transaction(self, jurisdiction: str = EVERYWHERE) -> AsyncGenerator[Transaction]:
        """Begin; commit when the block ends, roll back when it raises; then wake relay and nudged loops.

        `jurisdiction` is a code prefix (row level security shows only what lies in it) or EVERYWHERE.
        Raises ValueError for anything else and DatabaseUnavailable when the server cannot serve.
        """
        if not JURISDICTION.fullmatch(jurisdiction):
            # Hazard: an empty prefix, or a % in it, would match every row.
            raise ValueError("A jurisdiction is 2 to 12 digits, or EVERYWHERE.")
        connection, tx = await self._open(jurisdiction)
        intact = False
        try:
            yield tx
            await tx.write_buffered()
            await connection.commit()
            intact = True
        except Exception as error:
            intact = True
            if connection.is_closed or is_unavailable(error):
                raise DatabaseUnavailable(f"{self.service}: the database went away. Try again.") from error
            raise
        finally:
            # Shielded: a cancelled request must still give its connection back.
            # Hazard: what it was cancelled in may go on in the server, so that connection is not used again.
            await asyncio.shield(asyncio.ensure_future(connection.give_back(intact=intact)))
        for loop_name in tx.nudged:
            self._nudge(loop_name)

    async def ping(self) -> None:
        """One round trip. Raises DatabaseUnavailable when the server cannot serve."""
        async with self.transaction():
            pass

    async def close(self) -> None:
        """Close all connections."""
        await self._connections.close()

    async def _open(self, jurisdiction: str) -> tuple[OpenConnection, Transaction]:
        try:
            connection, opened = await self._connections.begin(self._open_sql, jurisdiction)
        except Exception as error:
            if isinstance(error, OSError) or is_unavailable(error):
                raise DatabaseUnavailable(f"{self.service}: the database does not answer. Try again.") from error
            raise
        clock = LegalMoment.read(opened[1], opened[2], opened[3])
        tx = Transaction(connection, clock=clock, jurisdiction=jurisdiction, service=self.service)
        if self.runtime is not None:
            tx.runtime = self.runtime
        return connection, tx


def is_unavailable(error: BaseException) -> bool:
    """Whether an error says that the database cannot serve now (rather than that the work is wrong)."""
    if isinstance(error, DatabaseUnavailable | exc.TimeoutError):
        return True
    if isinstance(error, exc.DBAPIError) and error.connection_invalidated:
        return True
    # SQLAlchemy's error has the driver's inside.
    return _is_unavailable_state(getattr(getattr(error, "orig", error), "sqlstate", None))


def _is_unavailable_state(sqlstate: str | None) -> bool:
    return sqlstate is not None and sqlstate.startswith(UNAVAILABLE_STATES)


def _lock_key(service: str, case_id: UUID) -> int:
    # Services share a database and so its lock space: the salt keeps their locks on one case apart.
    salt = int.from_bytes(hashlib.blake2b(service.encode(), digest_size=8).digest(), "big")
    return int.from_bytes(((case_id.int ^ salt) & (2**64 - 1)).to_bytes(8, "big"), "big", signed=True)
