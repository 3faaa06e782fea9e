"""Verification on the real Postgres, with the sandbox's sources behind real HTTP messages and a vault that seals."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest_asyncio
from joserfc.jwk import KeySet

from contracts.benefits import Source
from deploy.local.infrastructure import Infrastructure
from deploy.sandbox.actor import ActorSettings, actor_app
from deploy.sandbox.sources.app import Sources, routes
from deploy.sandbox.sources.ledger import Ledger
from deploy.sandbox.tokens import IdentityProvider
from services.runtime.circuit_breaker import CircuitBreakers
from services.runtime.clients import ServiceClient
from services.runtime.context import Runtime
from services.runtime.http import create_app
from services.runtime.migrations import migrate
from services.runtime.tokens import TokenSigner
from services.verification.api import router
from services.verification.settings import VerificationSettings
from tests.services.verification.service_under_test import CIRCUIT_OPEN_SECONDS, DatabaseAtNoon, Vault, Verification

INTAKE = "http://intake"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def migrated(stack: Infrastructure) -> Infrastructure:
    await migrate("verification", stack.database_dsn("admin"))
    return stack


@pytest_asyncio.fixture(loop_scope="session")
async def verification(migrated: Infrastructure, tmp_path: Path) -> AsyncIterator[Verification]:
    runtime = _runtime(migrated)
    signer = TokenSigner.from_file(migrated.secrets.signing_key_file("verification"))
    vault = Vault(migrated.secrets.recipient_keys_file)
    http = httpx.AsyncClient(transport=httpx.ASGITransport(create_app("verification", [router], runtime)),
                             base_url="http://verification")
    sources = _sources(migrated, tmp_path, http)
    city = httpx.ASGITransport(actor_app("sources", sources, [routes(sources)]))
    runtime._clients[INTAKE, "intake"] = ServiceClient(INTAKE, "intake", signer, httpx.ASGITransport(vault.app))
    for source, url in _source_urls().items():
        runtime._clients[url, f"source:{source}"] = ServiceClient(url, f"source:{source}", signer, city)
    under_test = Verification(runtime, http, sources, vault, migrated.database_dsn("admin"),
                              IdentityProvider(migrated.secrets.signing_key_file("idp")))
    yield under_test
    # Nothing of this test may be asked by the next one's loop.
    await under_test.execute("update verification.queries set state = 'cancelled' "
                             "where state in ('due', 'asking', 'asked', 'waiting')")
    await http.aclose()
    await runtime.close()


def _source_urls() -> dict[Source, str]:
    return {source: f"http://city/{source}" for source in Source}


def _runtime(stack: Infrastructure) -> Runtime:
    secrets = stack.secrets
    settings = VerificationSettings(
        env="demo", database_dsn=stack.database_dsn("verification"), temporal_address=stack.temporal_address,
        http_port=1, payload_key=secrets.symmetric_key("PAYLOAD_KEY"), kafka_bootstrap=stack.kafka_bootstrap,
        trusted_keys_file=secrets.trusted_keys_file, signing_key_file=secrets.signing_key_file("verification"),
        intake_url=INTAKE, source_urls=_source_urls(),
    )
    runtime = Runtime("verification", settings)
    runtime.breakers = CircuitBreakers(open_seconds=CIRCUIT_OPEN_SECONDS)
    runtime.database = DatabaseAtNoon(settings.database_dsn, service="verification", settings=settings,
                                      nudge=runtime.nudge)
    runtime.database.runtime = runtime
    return runtime


def _sources(stack: Infrastructure, folder: Path, verification: httpx.AsyncClient) -> Sources:
    settings = ActorSettings(http_port=1, verification_url="http://verification")
    keys = KeySet.import_key_set(json.loads(stack.secrets.private_keys_file("sources").read_text()))
    sources = Sources(settings, Ledger(folder), keys, IdentityProvider(stack.secrets.signing_key_file("idp")))
    sources._client = verification
    return sources


