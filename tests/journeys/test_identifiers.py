"""No identifier of the people who were played is found anywhere outside the vault, in clear."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio
from temporalio.client import Client

from deploy.cli.invariants import _identifiers
from deploy.invariants.identifiers import identifiers_outside_the_vault
from deploy.invariants.live_data import LiveData
from deploy.local.temporal import NAMESPACE
from deploy.local.topic_reader import TopicRecord
from deploy.sandbox.actor import ActorSettings
from deploy.sandbox.player.cast import Cast
from deploy.sandbox.player.stage import Stage
from tests.journeys.city import City, stories
from tests.journeys.conftest import COPIES, Played

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def identifiers(city: City, played: Played) -> frozenset[str]:
    """Identity numbers, accounts and phones of everybody in every copy."""
    key_file = city.supervisor.infrastructure.secrets.signing_key_file("idp")
    settings = ActorSettings(http_port=1, idp_key_file=key_file, intake_url=city.supervisor.url("intake"))
    codes = await Stage(settings).area_codes()
    casts = [Cast(story, f"{story.id}-1-{copy}", codes) for story in stories() for copy in range(1, COPIES + 1)]
    people = [person for cast in casts for person in cast.people.values()]
    numbers = {text for person in people for text in (person.identity_number, person.account_number, person.phone)}
    return frozenset(numbers | {cast.electricity_account for cast in casts if cast.electricity_account})


async def look(city: City, played: Played, identifiers: frozenset[str]) -> list[str]:
    database = await asyncpg.connect(city.supervisor.infrastructure.database_dsn("admin"))
    try:
        live = LiveData(database, records=played.records, secret_texts=identifiers, logs=city.supervisor.world.logs)
        return await identifiers_outside_the_vault(live)
    finally:
        await database.close()


async def test_the_vault_keeps_what_the_people_told(city: City, identifiers: frozenset[str]) -> None:
    infrastructure = city.supervisor.infrastructure
    database = await asyncpg.connect(infrastructure.database_dsn("admin"))
    try:
        kept = await _identifiers(database, infrastructure.secrets)
    finally:
        await database.close()
    # Who never had to be paid or reached was not asked for an account or a phone; every number else is there.
    assert {text for text in identifiers if len(text) == 18} <= kept
    assert len(identifiers & kept) >= len(identifiers) // 2


async def test_no_table_topic_or_log_holds_an_identifier(
    city: City, played: Played, identifiers: frozenset[str]
) -> None:
    assert await look(city, played, identifiers) == []


async def test_the_scan_would_find_one(city: City, played: Played, identifiers: frozenset[str]) -> None:
    one = max(identifiers)
    planted = TopicRecord("relief.item.v1", 0, 0, "", {}, f'{{"note": "{one}"}}')
    found = await look(city, replace(played, records=[planted]), identifiers)
    assert found == ["relief.item.v1 partition 0 offset 0: an identifier."]


async def test_no_workflow_history_holds_an_identifier(
    city: City, played: Played, identifiers: frozenset[str]
) -> None:
    histories = await raw_histories(city)
    everything = b"".join(histories.values())
    assert len(histories) >= COPIES * 3, "an item each of C4 and the refusal, a referral, a payment run"
    assert b"binary/encrypted" in everything and b"OnethingStage" in everything
    assert found_in(everything, identifiers) == 0


async def test_the_file_of_the_workflow_server_holds_no_identifier(
    city: City, played: Played, identifiers: frozenset[str]
) -> None:
    files = list((city.supervisor.world.home / "temporal").glob("temporal.db*"))
    content = b"".join(map(Path.read_bytes, files))
    workflow_ids = (await raw_histories(city)).keys()
    assert all(workflow_id.encode() in content for workflow_id in workflow_ids), "the scan sees what is written"
    assert found_in(content, identifiers) == 0


async def raw_histories(city: City) -> dict[str, bytes]:
    """Every workflow's history and description as the server keeps them, by workflow id; nothing is decrypted."""
    client = await Client.connect(city.supervisor.infrastructure.temporal_address, namespace=NAMESPACE)
    histories: dict[str, bytes] = {}
    async for execution in client.list_workflows():
        handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
        description = (await handle.describe()).raw_description.SerializeToString()
        events = (await handle.fetch_history()).events
        told = b"".join(event.SerializeToString() for event in events)
        histories[execution.id] = histories.get(execution.id, b"") + execution.id.encode() + description + told
    return histories


def found_in(content: bytes, identifiers: frozenset[str]) -> int:
    """How many identifiers stand in there; never which."""
    return sum(1 for text in identifiers if text.encode() in content)
