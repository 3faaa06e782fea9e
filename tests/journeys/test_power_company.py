"""The power company gets what it needs and no more, and needs nothing of ours but the contracts."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from contracts.catalogue import DEPARTMENT_ELECTRICITY, ELECTRICITY, granted_fields
from tests.journeys.city import City
from tests.journeys.conftest import COPIES, Played
from tests.journeys.contracts_alone import install, package_definition, run

NOT_ITS_BUSINESS = ("income", "wage", "pension", "illness", "medical", "disab", "identity", "name", "phone", "person")

READ_TOPIC = """
import asyncio, importlib.util, json
from aiokafka import AIOKafkaConsumer
from contracts.catalogue import DEPARTMENT_ELECTRICITY
from contracts.envelope import EventEnvelope
from contracts.events.referral import ReferralOffered

for ours in ("services", "workflows", "deploy", "temporalio", "sqlalchemy"):
    assert importlib.util.find_spec(ours) is None, ours

async def read(bootstrap, wanted):
    consumer = AIOKafkaConsumer(DEPARTMENT_ELECTRICITY.name, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        for _ in range(wanted):
            record = await asyncio.wait_for(consumer.getone(), 60)
            headers = {name: value.decode() for name, value in record.headers}
            event = EventEnvelope.read(headers, record.value, ReferralOffered)
            print(json.dumps({"item_id": str(event.item_id), "benefit": event.data.benefit,
                              "from_month": str(event.data.from_month)}))
    finally:
        await consumer.stop()

asyncio.run(read(sys.argv[2], int(sys.argv[3])))
"""

IMPORT_EVERYTHING = """
import importlib, importlib.util, pkgutil, contracts
found = [module.name for module in pkgutil.walk_packages(contracts.__path__, "contracts.")]
for name in found:
    importlib.import_module(name)
assert importlib.util.find_spec("services") is None
from importlib.resources import files
print(len(found), sum(1 for _ in files("contracts").joinpath("schemas").iterdir()))
"""


async def test_its_topic_carries_no_income_illness_or_identity(played: Played) -> None:
    records = [record for record in played.records if record.topic == DEPARTMENT_ELECTRICITY.name]
    assert len(records) == COPIES, "one referral of each household that was granted dibao"
    allowed = granted_fields("referral.offered.v1", ELECTRICITY)
    for record in records:
        assert record.data.keys() <= allowed
        sealed = record.data.pop("recipient_data")
        assert sealed.count(".") == 4, "a JWE in its compact form"
        told = f"{json.dumps(record.data)} {record.headers}".lower()
        assert [word for word in NOT_ITS_BUSINESS if word in told] == []


async def test_a_subscriber_needs_only_the_contracts(city: City, played: Played, tmp_path: Path) -> None:
    folder = install(tmp_path / "subscriber", "pydantic", "aiokafka")
    bootstrap = city.supervisor.infrastructure.kafka_bootstrap
    read = await asyncio.to_thread(run, folder, READ_TOPIC, bootstrap, str(COPIES))
    assert read.returncode == 0, read.stderr
    events = [json.loads(line) for line in read.stdout.splitlines()]
    assert len({event["item_id"] for event in events}) == COPIES
    assert {(event["benefit"], event["from_month"]) for event in events} == {("electricity_waiver", "2025-01-01")}


def test_the_contracts_stand_alone_with_what_they_declare(tmp_path: Path) -> None:
    declared = [line.split(">")[0] for line in package_definition()["project"]["dependencies"]]
    assert declared == ["pydantic"]
    folder = install(tmp_path / "alone", *declared)
    imported = run(folder, IMPORT_EVERYTHING)
    assert imported.returncode == 0, imported.stderr
    modules, schemas = map(int, imported.stdout.split())
    assert modules >= 20 and schemas >= 20
