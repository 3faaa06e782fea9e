"""One embedded stack (real Postgres, Kafka, Temporal) for the whole test session, in a folder of its own."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from deploy.local import infrastructure
from deploy.local.infrastructure import Infrastructure


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stack() -> AsyncIterator[Infrastructure]:
    """The running servers, empty but for the database's roles, the clock and the catalogue's topics.

    Tests share it: each uses schemas, topics and groups of its own.
    """
    home = Path(tempfile.mkdtemp(prefix="onething-test-"))
    running = await infrastructure.start(home, fresh=True)
    try:
        yield running
    finally:
        await running.discard()
