"""The one way into a service's schema: a transaction that knows its jurisdiction, its legal time and its events."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol
from uuid import UUID

from asyncpg import PostgresError  # pyright: ignore[reportMissingTypeStubs]
from sqlalchemy import exc
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from contracts.envelope import Event, EventEnvelope, Subject
from services.runtime import kept_events, outbox
from services.runtime.clock import LEAPT_CLOCK_SQL, MACHINE_CLOCK_SQL, LegalMoment
from services.runtime.problems import Unavailable

if TYPE_CHECKING:
    from services.runtime.context import Runtime

EVERYWHERE: Final = "*"
RELAY: Final = "relay"
JURISDICTION: Final = re.compile(r"\*|\d{2,12}", re.ASCII)
POOL_CONNECTIONS: Final = 10
POOL_WAIT_SECONDS: Final = 10.0
CONNECT_SECONDS: Final = 5.0
COMMAND_SECONDS: Final = 60.0
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
        self, session: AsyncSession, driver: Any, *, clock: LegalMoment, jurisdiction: str, service: str
    ) -> None:
        self.session = session
        self.driver = driver
        """The asyncpg connection inside the session's transaction, for bulk statements."""
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
        self._engine = create_async_engine(
            re.sub(r"^postgres(ql)?://", "postgresql+asyncpg://", dsn),
            pool_size=POOL_CONNECTIONS,
            max_overflow=0,
            pool_timeout=POOL_WAIT_SECONDS,
            # Hazard: statement parameters are personal data; without this they stand in every error message.
            hide_parameters=True,
            connect_args={
                "timeout": CONNECT_SECONDS,
                "command_timeout": COMMAND_SECONDS,
                "server_settings": {"application_name": service, "timezone": "UTC"},
            },
        )

    @asynccontextmanager
    async def transaction(self, jurisdiction: str = EVERYWHERE) -> AsyncGenerator[Transaction]:
        """Begin; commit when the block ends, roll back when it raises; then wake relay and nudged loops.

        `jurisdiction` is a code prefix (row level security shows only what lies in it) or EVERYWHERE.
        Raises ValueError for anything else and DatabaseUnavailable when the server cannot serve.
        """
        if not JURISDICTION.fullmatch(jurisdiction):
            # Hazard: an empty prefix, or a % in it, would match every row.
            raise ValueError("A jurisdiction is 2 to 12 digits, or EVERYWHERE.")
        tx = await self._open(jurisdiction)
        try:
            yield tx
            await tx.write_buffered()
            await tx.session.commit()
        except Exception as error:
            if tx.driver.is_closed() or is_unavailable(error):
                raise DatabaseUnavailable(f"{self.service}: the database went away. Try again.") from error
            raise
        finally:
            # Shielded: a cancelled request must still give its connection back, rolled back.
            await asyncio.shield(asyncio.ensure_future(tx.session.close()))
        for loop_name in tx.nudged:
            self._nudge(loop_name)

    async def ping(self) -> None:
        """One round trip. Raises DatabaseUnavailable when the server cannot serve."""
        async with self.transaction():
            pass

    async def close(self) -> None:
        """Close all connections."""
        await self._engine.dispose()

    async def _open(self, jurisdiction: str) -> Transaction:
        try:
            try:
                return await self._begin(jurisdiction)
            except exc.DBAPIError as error:
                if not error.connection_invalidated:
                    raise
                # The pool held connections from before a restart; it has dropped them all now.
                return await self._begin(jurisdiction)
        except Exception as error:
            if isinstance(error, OSError) or is_unavailable(error):
                raise DatabaseUnavailable(f"{self.service}: the database does not answer. Try again.") from error
            raise

    async def _begin(self, jurisdiction: str) -> Transaction:
        session = AsyncSession(self._engine, expire_on_commit=False)
        try:
            connection = await session.connection()
            opened: tuple[Any, ...] = tuple((await connection.exec_driver_sql(self._open_sql, (jurisdiction,))).one())
            driver = (await connection.get_raw_connection()).driver_connection
        except BaseException:
            await asyncio.shield(asyncio.ensure_future(session.close()))
            raise
        clock = LegalMoment.read(opened[1], opened[2], opened[3])
        tx = Transaction(session, driver, clock=clock, jurisdiction=jurisdiction, service=self.service)
        if self.runtime is not None:
            tx.runtime = self.runtime
        return tx


def is_unavailable(error: BaseException) -> bool:
    """Whether an error says that the database cannot serve now (rather than that the work is wrong)."""
    if isinstance(error, DatabaseUnavailable | exc.TimeoutError):
        return True
    if isinstance(error, exc.DBAPIError):
        state = getattr(error.orig, "sqlstate", None)
        return error.connection_invalidated or _is_unavailable_state(state)
    return isinstance(error, PostgresError) and _is_unavailable_state(getattr(error, "sqlstate", None))


def _is_unavailable_state(sqlstate: str | None) -> bool:
    return sqlstate is not None and sqlstate.startswith(UNAVAILABLE_STATES)


def _lock_key(service: str, case_id: UUID) -> int:
    # Services share a database and so its lock space: the salt keeps their locks on one case apart.
    salt = int.from_bytes(hashlib.blake2b(service.encode(), digest_size=8).digest(), "big")
    return int.from_bytes(((case_id.int ^ salt) & (2**64 - 1)).to_bytes(8, "big"), "big", signed=True)
