"""What cannot be handled is put aside with its reason, holds up nobody, and comes back when its cause is mended."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer

from contracts.catalogue import ITEM
from deploy.local.world import PROJECT_ROOT
from tests.journeys.city import City, until
from tests.services.intake.forms import BAISHA, a_form

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("played")]

KNOWN_IN = {
    "verification": "verification.means_checks",
    "approval": "approval.items",
    "coordination": "coordination.items",
}


async def dead_letters(city: City, service: str) -> list[dict[str, Any]]:
    return await city.stack.ask(service, "GET", "/dead-letters")


async def knows(city: City, table: str, case_id: str) -> bool:
    return bool(await city.rows(f"select from {table} where case_id = $1", case_id))


async def poison_every_partition(city: City) -> str:
    """Records that look like `item.accepted` and are no JSON; returns the case they speak of."""
    case_id = str(uuid4())
    headers = {
        "ce_specversion": "1.0", "ce_id": "", "ce_type": "item.accepted.v1", "ce_source": "/services/intake",
        "ce_time": "2026-03-09T01:00:00+00:00", "ce_caseid": case_id, "ce_jurisdiction": BAISHA,
        "ce_ruledate": "2026-03-09",
    }
    async with AIOKafkaProducer(bootstrap_servers=city.supervisor.infrastructure.kafka_bootstrap) as producer:
        for partition in range(ITEM.partitions):
            sent = {**headers, "ce_id": str(uuid4())}
            await producer.send_and_wait(
                ITEM.name, b"\xff not JSON", key=case_id.encode(), partition=partition,
                headers=[(name, value.encode()) for name, value in sent.items()],
            )
    return case_id


async def test_poison_is_put_aside_with_its_reason_and_the_next_record_is_handled(city: City) -> None:
    await poison_every_partition(city)
    case_id = (await city.apply(a_form(), "after-the-poison")).json()["case_id"]
    for service, table in KNOWN_IN.items():
        await until(lambda table=table: knows(city, table, case_id))
        letters = [letter for letter in await dead_letters(city, service) if letter["topic"] == ITEM.name]
        assert {letter["partition"] for letter in letters} == set(range(ITEM.partitions)), service
        assert {letter["reason_code"] for letter in letters} == {"event_invalid"}
        assert all(letter["reason"] and "not JSON" not in letter["reason"] for letter in letters)


async def test_a_dead_letter_comes_back_when_its_cause_is_mended(city: City) -> None:
    before = {letter["id"] for letter in await dead_letters(city, "approval")}
    async with without_right(city, "insert on approval.items", "approval"):
        case_id = (await city.apply(a_form(), "comes-back")).json()["case_id"]

        async def parked() -> list[dict[str, Any]]:
            return [letter for letter in await dead_letters(city, "approval") if letter["id"] not in before]

        [letter] = await until(parked)
        assert letter["reason_code"] == "handler_failed"
        assert (await retried(city, "approval", letter["id"])).returncode != 0
        assert [kept["id"] for kept in await parked()] == [letter["id"]], "it is kept while its cause is there"
    assert not await knows(city, "approval.items", case_id)
    answer = await retried(city, "approval", letter["id"])
    assert answer.returncode == 0, answer.stderr
    assert await knows(city, "approval.items", case_id)
    assert await parked() == []


@asynccontextmanager
async def without_right(city: City, right: str, role: str) -> AsyncIterator[None]:
    """A fault that needs no change of code: a service may not write what it must."""
    database = await asyncpg.connect(city.supervisor.infrastructure.database_dsn("admin"))
    try:
        await database.execute(f"revoke {right} from {role}")
        yield
    finally:
        await database.execute(f"grant {right} to {role}")
        await database.close()


async def retried(city: City, service: str, letter_id: str) -> subprocess.CompletedProcess[str]:
    """`onething dead-letters retry SERVICE ID` on this city."""
    command = [sys.executable, "-m", "deploy.cli", "dead-letters", "retry", service, letter_id]
    environment = {**os.environ, "ONETHING_HOME": str(city.supervisor.world.home)}
    return await asyncio.to_thread(
        subprocess.run, command, check=False, capture_output=True, text=True, env=environment, cwd=PROJECT_ROOT
    )
