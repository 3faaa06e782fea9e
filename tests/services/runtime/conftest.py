"""Each test of the runtime gets a service of its own on the shared stack."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest
import pytest_asyncio

from contracts import catalogue
from contracts.catalogue import Entry, Topic
from deploy.local.infrastructure import Infrastructure
from services.runtime.context import Runtime
from services.runtime.migrations import migrate_from
from services.runtime.relay import Relay
from tests.services.runtime.service_under_test import (
    FIRST_REVISION,
    PARTITIONS,
    Caused,
    Counted,
    ServiceUnderTest,
    a_runtime,
    create_topics,
    let_log_in,
)


@pytest_asyncio.fixture(loop_scope="session")
async def world(
    stack: Infrastructure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[ServiceUnderTest]:
    schema = f"t_{uuid.uuid4().hex[:12]}"
    for kind in (Counted, Caused):
        topic = Topic(f"{kind.TYPE}.{schema}", schema, partitions=PARTITIONS)
        monkeypatch.setitem(catalogue.EVENTS, kind.TYPE, Entry(kind, topic, ()))
    await create_topics(stack.kafka_bootstrap)
    (tmp_path / "0001_first.py").write_text(FIRST_REVISION.format(schema=schema), encoding="utf-8")
    await migrate_from(tmp_path, schema, stack.database_dsn("admin"))
    dsn = await let_log_in(stack, schema)
    under_test = ServiceUnderTest(schema, dsn, stack.kafka_bootstrap, cast(Runtime, None))
    under_test.runtime = a_runtime(under_test)
    yield under_test
    if under_test.runtime.consumers is not None:
        await under_test.runtime.consumers.stop()
    await under_test.database.close()


@pytest_asyncio.fixture(loop_scope="session")
async def relay(world: ServiceUnderTest) -> AsyncIterator[Relay]:
    relay = Relay(world.database, world.bootstrap)
    yield relay
    await relay.close()
