"""A service in this process, on a Postgres of its own, that tells whether a call has stored anything."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import schemathesis
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode

from contracts.benefits import Source
from deploy.local import infrastructure
from deploy.local.infrastructure import Infrastructure
from deploy.sandbox.tokens import IdentityProvider
from services.approval import app as approval
from services.approval.settings import ApprovalSettings
from services.coordination import app as coordination
from services.coordination.settings import CoordinationSettings
from services.disbursement import app as disbursement
from services.disbursement.settings import DisbursementSettings
from services.intake import app as intake
from services.intake.settings import IntakeSettings
from services.runtime.clock import LegalMoment
from services.runtime.consumer import Consumers
from services.runtime.context import Runtime
from services.runtime.database import EVERYWHERE, Database, Transaction
from services.runtime.health import dead_letter_routes, probes
from services.runtime.http import create_app
from services.runtime.migrations import migrate
from services.runtime.process import Service
from services.runtime.settings import RuntimeSettings
from services.runtime.tokens import TokenSigner
from services.verification import app as verification
from services.verification.settings import VerificationSettings

NOWHERE = "http://127.0.0.1:1"
BAISHA, YUBEI = "500116108", "500112"

SERVICES: dict[str, tuple[Service, type[RuntimeSettings], dict[str, Any]]] = {
    "intake": (intake.service, IntakeSettings, {}),
    "verification": (verification.service, VerificationSettings,
                     {"intake_url": NOWHERE, "source_urls": dict.fromkeys(Source, NOWHERE)}),
    "approval": (approval.SERVICE, ApprovalSettings, {}),
    "disbursement": (disbursement.service, DisbursementSettings, {"intake_url": NOWHERE, "bank_url": NOWHERE}),
    "coordination": (coordination.service, CoordinationSettings, {"intake_url": NOWHERE}),
}


class WatchedDatabase(Database):
    """A database that counts the transactions that wrote and were committed; its legal time is the test's."""

    now: datetime = datetime(2026, 3, 9, 4, tzinfo=UTC)
    written: int = 0

    @asynccontextmanager
    async def transaction(self, jurisdiction: str = EVERYWHERE) -> AsyncIterator[Transaction]:
        async with super().transaction(jurisdiction) as tx:
            tx.clock = LegalMoment(now=self.now, offset=timedelta(0), leap_number=0)
            yield tx
            await tx.session.flush()
            await tx.write_buffered()
            # Postgres gives a transaction its id with its first write, and only then.
            wrote = await tx.driver.fetchval("select pg_current_xact_id_if_assigned() is not null")
        self.written += wrote


@dataclass
class FuzzedService:
    """A service, its documented operations, and who may call it."""

    name: str
    runtime: Runtime
    database: WatchedDatabase
    http: httpx.AsyncClient
    consumers: Consumers
    operations: dict[str, APIOperation]
    stack: Infrastructure
    callers: dict[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    generated: dict[tuple[str, GenerationMode], st.SearchStrategy[Case]] = field(
        default_factory=dict[tuple[str, GenerationMode], st.SearchStrategy[Case]]
    )

    def sign(self) -> None:
        """Fresh tokens for everybody who might call."""
        self.callers = _callers(self.stack, self.name)

    def cases(self, label: str, mode: GenerationMode) -> st.SearchStrategy[Case]:
        """What schemathesis makes for an operation; the strategies are built once."""
        if (label, mode) not in self.generated:
            self.generated[label, mode] = self.operations[label].as_strategy(generation_mode=mode)
        return self.generated[label, mode]

    async def digest(self) -> str:
        """One digest over every row of every table of this service."""
        async with Database.transaction(self.database) as tx:
            tables = await tx.driver.fetch(
                "select tablename from pg_tables where schemaname = $1 order by 1", self.name)
            total = hashlib.sha256()
            for row in tables:
                table = f"{self.name}.{row['tablename']}"
                rows = await tx.driver.fetchval(
                    f"select md5(string_agg(one::text, '|' order by one::text)) from {table} as one")
                total.update(f"{table} {rows}".encode())
        return total.hexdigest()


@asynccontextmanager
async def a_postgres() -> AsyncIterator[Infrastructure]:
    """A Postgres of its own: what is stored here, in masses, would be in the way of every other test."""
    home = Path(tempfile.mkdtemp(prefix="onething-test-"))
    running = await infrastructure.start(home, only={"postgres"}, fresh=True)
    try:
        yield running
    finally:
        await running.discard()


def documented_operations(openapi: dict[str, Any]) -> dict[str, APIOperation]:
    """The operations of an OpenAPI document by method and path."""
    document = schemathesis.openapi.from_dict(_without_tuples(openapi))
    return {operation.label: operation for result in document.get_all_operations() if (operation := result.ok())}


def _without_tuples(schema: Any) -> Any:
    """The same document with tuples as lists of whatever stands in them.

    Hazard: schemathesis 4.32 rewrites `prefixItems` of a response to the form that OpenAPI 3.1 does not know, and
    then takes the document for invalid.
    """
    if isinstance(schema, list):
        return [_without_tuples(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    copied = {name: _without_tuples(value) for name, value in schema.items()}
    if "prefixItems" in copied:
        copied["items"] = {"anyOf": copied.pop("prefixItems")}
    return copied


@asynccontextmanager
async def a_fuzzed_service(stack: Infrastructure, name: str) -> AsyncIterator[FuzzedService]:
    """The service with its real routes, probes and dead letters among them; nothing runs besides."""
    service, kind, extra = SERVICES[name]
    await migrate(name, stack.database_dsn("admin"))
    settings = kind.model_validate({**_settings(stack, name), **extra})
    runtime = Runtime(name, settings)
    runtime.database = database = WatchedDatabase(
        settings.database_dsn, service=name, settings=settings, nudge=runtime.nudge)
    database.runtime = runtime
    consumers = runtime.consumers = service.consumers
    assert consumers is not None
    # Only makes it able to handle: no broker is asked for records.
    await consumers.resume(runtime, park_at_most=10**9)
    app = create_app(name, [probes, dead_letter_routes, *service.routers], runtime)
    operations = documented_operations(app.openapi())
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{name}") as http:
        fuzzed = FuzzedService(name, runtime, database, http, consumers, operations, stack)
        fuzzed.sign()
        yield fuzzed
    await runtime.close()


def _settings(stack: Infrastructure, name: str) -> dict[str, Any]:
    secrets = stack.secrets
    common = {
        "env": "demo", "database_dsn": stack.database_dsn(name), "temporal_address": NOWHERE, "http_port": 1,
        "payload_key": secrets.symmetric_key("PAYLOAD_KEY"), "kafka_bootstrap": NOWHERE,
        "trusted_keys_file": secrets.trusted_keys_file, "signing_key_file": secrets.signing_key_file(name),
    }
    if name == "intake":
        common |= {
            "vault_key": secrets.symmetric_key("VAULT_KEY"), "recipient_keys_file": secrets.recipient_keys_file,
            "blind_index_key": secrets.symmetric_key("BLIND_INDEX_KEY"),
        }
    return common


def _callers(stack: Infrastructure, audience: str) -> dict[str, Mapping[str, str]]:
    idp = IdentityProvider(stack.secrets.signing_key_file("idp"))
    people: dict[str, Mapping[str, str]] = {
        "citizen": idp.headers("citizen", "citizen:fuzz"),
        "another citizen": idp.headers("citizen", "citizen:other"),
        "helper": idp.headers("helper", "helper:fuzz"),
        "officer": idp.headers("officer", f"officer:{BAISHA}:1", jurisdiction=BAISHA),
        "officer of the county": idp.headers("officer", "officer:500116:1", jurisdiction="500116"),
        "officer elsewhere": idp.headers("officer", f"officer:{YUBEI}:1", jurisdiction=YUBEI),
        "investigator": idp.headers("investigator", f"officer:{BAISHA}:2", jurisdiction=BAISHA),
        "operator": idp.headers("operator", "operator:1"),
        "keeper": idp.headers("keeper", "keeper"),
        "power company": idp.headers("department", "department:electricity", department="electricity"),
        "another department": idp.headers("department", "department:water", department="water"),
        "bank": idp.headers("actor", "actor:bank"),
        "player": idp.headers("actor", "actor:player"),
        "an officer whose name no database takes": idp.headers("officer", "officer:\x00:1", jurisdiction=BAISHA),
    }
    people |= {f"source {source}": idp.headers("actor", f"actor:source:{source}") for source in Source}
    for name in SERVICES:
        signer = TokenSigner.from_file(stack.secrets.signing_key_file(name))
        people[f"service {name}"] = {"Authorization": f"Bearer {signer.service_token(audience)}"}
    elsewhere = TokenSigner.from_file(stack.secrets.signing_key_file("intake")).service_token("nobody")
    people["service with a token for another"] = {"Authorization": f"Bearer {elsewhere}"}
    people["nobody"] = {}
    return people
