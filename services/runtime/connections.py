"""A bounded pool of connections: the driver's own for bulk statements, and on the same one a session of objects.

SQLAlchemy owns the pool. A transaction is opened and ended on the driver, without SQLAlchemy's session and result
objects: those cost several times what the statements of a small transaction do, and the hot paths need none.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any, Final, cast

from sqlalchemy import Connection, PoolProxiedConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.util import greenlet_spawn

POOL_CONNECTIONS: Final = 10
POOL_WAIT_SECONDS: Final = 10.0
CONNECT_SECONDS: Final = 5.0
COMMAND_SECONDS: Final = 60.0


class Connections:
    """The pool of one service's role. Connects when first used."""

    def __init__(self, dsn: str, application_name: str) -> None:
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
                "server_settings": {"application_name": application_name, "timezone": "UTC"},
            },
        )

    async def begin(self, first_sql: str, *values: Any) -> tuple[OpenConnection, Any]:
        """A connection in a new transaction, and the one row of its first statement. Raises what the driver raises."""
        for _ in range(POOL_CONNECTIONS + 1):
            pooled = await self._engine.raw_connection()
            opened = OpenConnection(self._engine, pooled)
            try:
                return opened, await greenlet_spawn(_first_row, pooled, first_sql, values)
            except BaseException:
                # The pool may hold connections from before a restart of the server: each is found out once.
                stale = opened.is_closed
                await asyncio.shield(asyncio.ensure_future(opened.give_back(intact=False)))
                if not stale:
                    raise
        raise ConnectionError("No connection of the pool is alive.")

    async def close(self) -> None:
        """Close all connections."""
        await self._engine.dispose()


class OpenConnection:
    """A connection of the pool, in a transaction until it is committed or given back."""

    def __init__(self, engine: AsyncEngine, pooled: PoolProxiedConnection) -> None:
        self._engine = engine
        self._pooled = pooled
        self._session: AsyncSession | None = None
        self.driver: Any = pooled.driver_connection
        """The asyncpg connection."""

    @property
    def is_closed(self) -> bool:
        """Whether the server is gone from its other end."""
        return self.driver.is_closed()

    @property
    def session(self) -> AsyncSession:
        """Made when first asked for, in the same transaction."""
        if self._session is None:
            connection = Connection(self._engine.sync_engine, connection=self._pooled)
            self._session = AsyncSession(AsyncConnection(self._engine, connection), expire_on_commit=False)
        return self._session

    async def commit(self) -> None:
        """Commit; what the session still holds is written before."""
        if self._session is not None:
            await self._session.commit()
        # Hazard: a session that was looked at but sent nothing commits nothing, not even what the driver wrote.
        await greenlet_spawn(self._pooled.commit)

    async def give_back(self, *, intact: bool) -> None:
        """To the pool, rolled back if not committed; one that is not `intact` is closed instead."""
        if self._session is not None:
            await self._session.close()
        await greenlet_spawn(_give_back, self._pooled, intact and not self.is_closed)


def _first_row(pooled: PoolProxiedConnection, sql: str, values: tuple[Any, ...]) -> Any:
    cursor = pooled.cursor()
    try:
        cursor.execute(sql, cast(Any, values))
        return cursor.fetchone()
    finally:
        cursor.close()


def _give_back(pooled: PoolProxiedConnection, intact: bool) -> None:
    if not pooled.is_valid:
        return
    if not intact:
        pooled.invalidate()
    pooled.close()
