"""The service under test, on the stack that all tests share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest_asyncio

from deploy.local.infrastructure import Infrastructure
from services.intake.api import router
from services.intake.settings import IntakeSettings
from services.runtime.context import Runtime
from services.runtime.http import create_app
from services.runtime.migrations import migrate
from services.runtime.tokens import TokenSigner
from tests.services.intake.intake_under_test import DatabaseOnDay, Intake


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def migrated(stack: Infrastructure) -> Infrastructure:
    await migrate("intake", stack.database_dsn("admin"))
    return stack


@pytest_asyncio.fixture(loop_scope="session")
async def intake(migrated: Infrastructure) -> AsyncIterator[Intake]:
    secrets = migrated.secrets
    settings = IntakeSettings(
        env="demo", database_dsn=migrated.database_dsn("intake"), temporal_address=migrated.temporal_address,
        http_port=1, payload_key=secrets.symmetric_key("PAYLOAD_KEY"), kafka_bootstrap=migrated.kafka_bootstrap,
        trusted_keys_file=secrets.trusted_keys_file, signing_key_file=secrets.signing_key_file("intake"),
        vault_key=secrets.symmetric_key("VAULT_KEY"), blind_index_key=secrets.symmetric_key("BLIND_INDEX_KEY"),
        recipient_keys_file=secrets.recipient_keys_file,
    )
    runtime = Runtime("intake", settings)
    database = DatabaseOnDay(settings.database_dsn, service="intake", settings=settings, nudge=runtime.nudge)
    database.runtime = runtime
    runtime.database = database
    app = httpx.ASGITransport(create_app("intake", [router], runtime))
    async with httpx.AsyncClient(transport=app, base_url="http://intake") as http:
        yield Intake(runtime, database, TokenSigner.from_file(secrets.signing_key_file("idp")), migrated, http)
    await runtime.close()
