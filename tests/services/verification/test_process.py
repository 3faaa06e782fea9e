"""The real process over real Kafka and HTTP: killed in the middle it loses nothing and asks nobody twice over."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from contracts import catalogue
from contracts.benefits import Source
from contracts.catalogue import MEANS_CHECK
from contracts.envelope import EventEnvelope
from deploy.local.infrastructure import Infrastructure
from tests.services.verification.builders import an_item, signed
from tests.services.verification.service_under_test import BOUND_SECONDS, Vault, number_of, person_sha256

pytestmark = pytest.mark.asyncio(loop_scope="session")


@dataclass
class Neighbourhood:
    """Where each process listens, and what it is told."""

    stack: Infrastructure
    folder: Path
    verification: int
    sources: int
    vault: int

    def of_verification(self) -> dict[str, str]:
        secrets = self.stack.secrets
        return {
            "ENV": "demo", "DATABASE_DSN": self.stack.database_dsn("verification"), "HTTP_PORT": str(self.verification),
            "TEMPORAL_ADDRESS": self.stack.temporal_address, "KAFKA_BOOTSTRAP": self.stack.kafka_bootstrap,
            "PAYLOAD_KEY": secrets.symmetric_key("PAYLOAD_KEY"), "TRUSTED_KEYS_FILE": str(secrets.trusted_keys_file),
            "SIGNING_KEY_FILE": str(secrets.signing_key_file("verification")),
            "INTAKE_URL": f"http://127.0.0.1:{self.vault}",
            "SOURCE_URLS": json.dumps({source: f"http://127.0.0.1:{self.sources}/{source}" for source in Source}),
        }

    def of_sources(self) -> dict[str, str]:
        secrets = self.stack.secrets
        return {
            "HTTP_PORT": str(self.sources), "IDP_KEY_FILE": str(secrets.signing_key_file("idp")),
            "RECIPIENT_PRIVATE_KEYS_FILE": str(secrets.private_keys_file("sources")),
            "VERIFICATION_URL": f"http://127.0.0.1:{self.verification}", "DATA_FOLDER": str(self.folder),
        }


@asynccontextmanager
async def running(module: str, settings: dict[str, str], port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process of its own, killed at the end; waits until it is ready."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("ONETHING_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, env=plain | {f"ONETHING_{name}": value for name, value in settings.items()})
    try:
        await until(lambda: _is_ready(port))
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_killed_in_the_middle_it_asks_and_reports_each_household_once(
    migrated: Infrastructure, tmp_path: Path
):
    ports = [_free_port() for _ in range(3)]
    around = Neighbourhood(migrated, tmp_path, *ports)
    vault = uvicorn.Server(uvicorn.Config(Vault(migrated.secrets.recipient_keys_file).app, port=around.vault,
                                          log_level="warning"))
    serving = asyncio.create_task(vault.serve())
    items = [an_item() for _ in range(20)]
    async with running("deploy.sandbox.sources.app", around.of_sources(), around.sources):
        async with running("services.verification.app", around.of_verification(), around.verification) as first:
            await publish(migrated, *items, *(signed(item) for item in items))
            await until(lambda: _asked(around))
            first.kill()
            await first.wait()
        async with running("services.verification.app", around.of_verification(), around.verification):
            completed = await read_completed(migrated, {str(item.case_id) for item in items})
            await until(lambda: _is_quiet(around))
        asked = await _asked(around)
    vault.should_exit = True
    await serving
    assert sorted(completed) == sorted(str(item.case_id) for item in items)
    persons = {person_sha256(number_of(item.data.applicant_person_id)) for item in items}
    assert {one["query_id"] for one in asked if one["person_sha256"] in persons} == {one["query_id"] for one in asked}
    assert len({one["query_id"] for one in asked}) == len(items) * len(Source)


async def publish(stack: Infrastructure, *events: EventEnvelope[Any]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=stack.kafka_bootstrap) as producer:
        for event in events:
            headers = [(name, value.encode()) for name, value in event.headers().items()]
            await producer.send_and_wait(catalogue.topic_of(event.type), event.body(),
                                         key=str(event.case_id).encode(), headers=headers)


async def read_completed(stack: Infrastructure, case_ids: set[str]) -> list[str]:
    """Cases whose means check was reported, once per report, until each was at least once."""
    consumer = AIOKafkaConsumer(MEANS_CHECK.name, bootstrap_servers=stack.kafka_bootstrap,
                                auto_offset_reset="earliest")
    await consumer.start()
    completed: list[str] = []
    try:
        async with asyncio.timeout(2 * BOUND_SECONDS):
            while not case_ids <= set(completed):
                record = await consumer.getone()
                headers = {name: value.decode() for name, value in record.headers}
                if headers["ce_type"] == "means_check.completed.v1" and headers["ce_caseid"] in case_ids:
                    completed.append(headers["ce_caseid"])
    finally:
        await consumer.stop()
    return completed


async def until(condition: Any) -> Any:
    """Wait for a condition to hold and return its value; fail after a bound."""
    async with asyncio.timeout(2 * BOUND_SECONDS):
        while not (value := await condition()):  # noqa: ASYNC110 - the other side is a process
            await asyncio.sleep(0.02)
    return value


async def _get(port: int, path: str) -> httpx.Response | None:
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            return await client.get(f"http://127.0.0.1:{port}{path}")
    except httpx.TransportError:
        return None


async def _is_ready(port: int) -> bool:
    response = await _get(port, "/ready")
    return response is not None and response.status_code == 200


async def _asked(around: Neighbourhood) -> list[dict[str, Any]]:
    response = await _get(around.sources, "/asked")
    return response.json() if response is not None else []


async def _is_quiet(around: Neighbourhood) -> bool:
    response = await _get(around.verification, "/quiet")
    return response is not None and response.json()["pending"] == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
