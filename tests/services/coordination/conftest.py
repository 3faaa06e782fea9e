"""Coordination on the real Postgres, with its legal time in the test's hand."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest_asyncio

from deploy.local.infrastructure import Infrastructure
from services.coordination.api import router
from services.coordination.settings import CoordinationSettings
from services.runtime.context import Runtime
from services.runtime.http import create_app
from services.runtime.migrations import migrate
from services.runtime.tokens import TokenSigner
from tests.services.coordination.service_under_test import Coordination, DatabaseAt


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def migrated(stack: Infrastructure) -> Infrastructure:
    await migrate("coordination", stack.database_dsn("admin"))
    return stack


@pytest_asyncio.fixture(loop_scope="session")
async def coordination(migrated: Infrastructure) -> AsyncIterator[Coordination]:
    secrets = migrated.secrets
    settings = CoordinationSettings(
        env="demo", database_dsn=migrated.database_dsn("coordination"), temporal_address=migrated.temporal_address,
        http_port=1, payload_key=secrets.symmetric_key("PAYLOAD_KEY"), kafka_bootstrap=migrated.kafka_bootstrap,
        trusted_keys_file=secrets.trusted_keys_file, signing_key_file=secrets.signing_key_file("coordination"),
        intake_url="http://127.0.0.1:1",
    )
    runtime = Runtime("coordination", settings)
    database = DatabaseAt(settings.database_dsn, service="coordination", settings=settings, nudge=runtime.nudge)
    database.runtime = runtime
    runtime.database = database
    app = httpx.ASGITransport(create_app("coordination", [router], runtime))
    async with httpx.AsyncClient(transport=app, base_url="http://coordination") as http:
        yield Coordination(runtime, database, TokenSigner.from_file(secrets.signing_key_file("idp")),
                           migrated.database_dsn("admin"), http)
    await runtime.close()
