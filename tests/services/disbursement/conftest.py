"""Disbursement's schema on the real Postgres."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace

import pytest_asyncio

from deploy.local.infrastructure import Infrastructure
from services.runtime.database import Database
from services.runtime.migrations import migrate


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def database(stack: Infrastructure) -> AsyncIterator[Database]:
    await migrate("disbursement", stack.database_dsn("admin"))
    database = Database(stack.database_dsn("disbursement"), service="disbursement",
                        settings=SimpleNamespace(env="demo"), nudge=lambda _: None)
    yield database
    await database.close()
