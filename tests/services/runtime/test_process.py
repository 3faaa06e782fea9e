"""A process lives without its servers, says what is missing, and stops cleanly."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from joserfc.jwk import OKPKey

if TYPE_CHECKING:
    from deploy.local.infrastructure import Infrastructure
    from tests.services.runtime.service_under_test import World

PROJECT = Path(__file__).parents[3]
POLLS_MAX = 400
Environment = dict[str, str]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """Settings that are right, towards servers of which none answers."""
    key = OKPKey.generate_key("Ed25519", {"kid": "verification"})
    (tmp_path / "signing.json").write_text(json.dumps(key.as_dict(private=True)))
    (tmp_path / "trusted.json").write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
    others = {name: value for name, value in os.environ.items() if not name.startswith("ONETHING_")}
    return others | {
        "PYTHONPATH": str(PROJECT),
        "SAMPLE_NAME": "verification",
        "ONETHING_ENV": "demo",
        "ONETHING_DATABASE_DSN": f"postgresql://verification:secret@127.0.0.1:{free_port()}/onething",
        "ONETHING_KAFKA_BOOTSTRAP": f"127.0.0.1:{free_port()}",
        "ONETHING_TEMPORAL_ADDRESS": f"127.0.0.1:{free_port()}",
        "ONETHING_HTTP_PORT": str(free_port()),
        "ONETHING_TRUSTED_KEYS_FILE": str(tmp_path / "trusted.json"),
        "ONETHING_SIGNING_KEY_FILE": str(tmp_path / "signing.json"),
        "ONETHING_PAYLOAD_KEY": base64.b64encode(b"k" * 32).decode(),
    }


async def launched(
    environment: Environment, module: str = "tests.services.runtime.sample_process"
) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, cwd=PROJECT, env=environment, stdout=PIPE, stderr=PIPE
    )


@asynccontextmanager
async def running(environment: Environment) -> AsyncIterator[tuple[Process, httpx.AsyncClient]]:
    process = await launched(environment)
    base_url = f"http://127.0.0.1:{environment['ONETHING_HTTP_PORT']}"
    try:
        async with httpx.AsyncClient(base_url=base_url, trust_env=False, timeout=10) as client:
            await until(lambda: answers(client))
            yield process, client
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.communicate()


async def answers(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/health")).status_code == 200
    except httpx.TransportError:
        return False


async def refuses_connections(client: httpx.AsyncClient) -> bool:
    try:
        async with httpx.AsyncClient(base_url=client.base_url, trust_env=False) as newcomer:
            await newcomer.get("/health")
    except httpx.TransportError:
        return True
    return False


async def slow_request_under_way(client: httpx.AsyncClient) -> asyncio.Task[httpx.Response]:
    answer = asyncio.create_task(client.post("/slow"))

    async def entered() -> bool:
        return (await client.get("/entered")).json() == 1

    await until(entered)
    return answer


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(POLLS_MAX):
        if await condition():
            return
        await asyncio.sleep(0.05)
    pytest.fail("it did not come about")


async def test_without_any_server_http_is_served_and_what_is_missing_is_told(environment: Environment):
    async with running(environment) as (process, client):

        async def loop_is_red() -> bool:
            checks = (await client.get("/ready")).json()["checks"]
            return not checks["loop failing"]["ok"]

        await until(loop_is_red)
        ready = await client.get("/ready")
        quiet = (await client.get("/quiet")).json()
        letters = await client.get("/dead-letters")
        process.send_signal(signal.SIGTERM)
        output, _ = await process.communicate()
    checks = ready.json()["checks"]
    assert ready.status_code == 503
    assert [name for name in ("database", "consumer", "temporal") if checks[name]["ok"]] == []
    assert checks["temporal"]["required"] is False
    assert quiet["pending"] >= 1
    assert letters.status_code == 401
    assert process.returncode == 0
    assert b"500116199001011234" not in output
    assert b"secret" not in output


async def test_a_request_under_way_is_answered_before_the_process_ends(environment: Environment):
    async with running(environment) as (process, client):
        answer = await slow_request_under_way(client)
        process.send_signal(signal.SIGTERM)
        assert (await answer).json() == {"status": "finished"}
        await process.communicate()
    assert process.returncode == 0


async def test_five_megabytes_over_a_real_connection_get_their_answer(environment: Environment):
    async with running(environment) as (_, client):
        headers = {"content-type": "application/json"}
        answer = await client.post("/slow", content=b"x" * 5_000_000, headers=headers)
        assert answer.status_code == 413
        assert (await client.get("/health")).status_code == 200


async def test_a_second_signal_ends_the_process_at_once(environment: Environment):
    async with running(environment) as (process, client):
        answer = await slow_request_under_way(client)
        process.send_signal(signal.SIGTERM)
        # Two signals in one go count as one; the process has to have seen the first.
        await until(lambda: refuses_connections(client))
        process.send_signal(signal.SIGTERM)
        await process.communicate()
        with pytest.raises(httpx.TransportError):
            await answer
    assert process.returncode == 1


async def test_a_port_in_use_is_told_in_one_sentence(environment: Environment):
    with socket.create_server(("127.0.0.1", int(environment["ONETHING_HTTP_PORT"]))):
        process = await launched(environment)
        _, told = await process.communicate()
    assert process.returncode == 1
    assert b"ONETHING_HTTP_PORT" in told
    assert b"Traceback" not in told


@pytest.mark.asyncio(loop_scope="session")
async def test_with_its_servers_it_is_ready_and_quiet_and_leaves_its_group(
    environment: Environment, world: World, stack: Infrastructure
):
    at_home = environment | {
        "SAMPLE_NAME": world.schema,
        "SAMPLE_WITHOUT_LOOPS": "yes",
        "ONETHING_DATABASE_DSN": world.dsn,
        "ONETHING_KAFKA_BOOTSTRAP": world.bootstrap,
        "ONETHING_TEMPORAL_ADDRESS": stack.temporal_address,
    }
    async with running(at_home) as (process, client):

        async def all_green() -> bool:
            checks = (await client.get("/ready")).json()["checks"]
            return all(check["ok"] for check in checks.values())

        async def quiet() -> bool:
            return (await client.get("/quiet")).json()["pending"] == 0

        await until(all_green)
        await until(quiet)
        assert (await client.get("/ready")).status_code == 200
        assert await members_of(world) == 1
        process.send_signal(signal.SIGTERM)
        await process.communicate()
    assert process.returncode == 0
    assert await members_of(world) == 0


async def members_of(world: World) -> int:
    """How many members the service's consumer group has, as the broker tells it."""
    admin = AIOKafkaAdminClient(bootstrap_servers=world.bootstrap)
    await admin.start()
    try:
        response = (await admin.describe_consumer_groups([world.schema]))[0]
        return len(response.groups[0][5])
    finally:
        await admin.close()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"ONETHING_DATABASE_DSN": None}, b"ONETHING_DATABASE_DSN"),
        ({"ONETHING_TYPO": "1"}, b"ONETHING_TYPO"),
        ({"ONETHING_PAYLOAD_KEY": "c2hvcnQ="}, b"PAYLOAD_KEY"),
        ({"ONETHING_SIGNING_KEY_FILE": "/nowhere/key.json"}, b"/nowhere/key.json"),
    ],
)
async def test_settings_that_cannot_be_used_are_named(
    environment: Environment, changes: dict[str, str | None], named: bytes
):
    changed = {name: value for name, value in (environment | changes).items() if value is not None}
    process = await launched(changed)
    _, told = await process.communicate()
    assert process.returncode in (1, 2)
    assert named in told
    assert b"Traceback" not in told
