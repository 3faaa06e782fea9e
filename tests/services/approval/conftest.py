"""Approval on the real Postgres, with its legal day in the test's hand."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest_asyncio

from deploy.local.infrastructure import Infrastructure
from services.approval.api import router
from services.approval.settings import ApprovalSettings
from services.runtime.context import Runtime
from services.runtime.http import create_app
from services.runtime.migrations import migrate
from services.runtime.tokens import TokenSigner
from tests.services.approval.service_under_test import Approval, DatabaseOnDay


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def migrated(stack: Infrastructure) -> Infrastructure:
    await migrate("approval", stack.database_dsn("admin"))
    return stack


@pytest_asyncio.fixture(loop_scope="session")
async def approval(migrated: Infrastructure) -> AsyncIterator[Approval]:
    secrets = migrated.secrets
    settings = ApprovalSettings(
        env="demo", database_dsn=migrated.database_dsn("approval"), temporal_address=migrated.temporal_address,
        http_port=1, payload_key=secrets.symmetric_key("PAYLOAD_KEY"), kafka_bootstrap=migrated.kafka_bootstrap,
        trusted_keys_file=secrets.trusted_keys_file, signing_key_file=secrets.signing_key_file("approval"),
    )
    runtime = Runtime("approval", settings)
    database = DatabaseOnDay(settings.database_dsn, service="approval", settings=settings, nudge=runtime.nudge)
    database.runtime = runtime
    runtime.database = database
    app = httpx.ASGITransport(create_app("approval", [router], runtime))
    async with httpx.AsyncClient(transport=app, base_url="http://approval") as http:
        yield Approval(runtime, database, TokenSigner.from_file(secrets.signing_key_file("idp")), http,
                       migrated.database_dsn("admin"))
    await runtime.close()
