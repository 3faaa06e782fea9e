"""A pay day of dibao: every standing award paid and accepted by the bank. Part of the measure `dibao`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Any

import asyncpg
from temporalio.client import Client
from temporalio.worker import Worker

from benchmarks.floors import pay_day as bare
from benchmarks.floors.pipeline import DATABASE, floor_database
from benchmarks.harness import children
from benchmarks.harness.award_backlog import write_awards
from benchmarks.harness.forms import TOWN
from benchmarks.harness.journeys import wait_for_count
from benchmarks.harness.load import Load
from benchmarks.harness.pay_day_workflow import QUEUE, PayDayWorkflow
from benchmarks.harness.processes import Processes, processes
from benchmarks.harness.servers import servers, settle
from benchmarks.harness.two_sides import Progress
from benchmarks.measures.small_emergency import BATCH, HANDS, LOADED_INTAKE
from contracts.envelope import new_id
from contracts.processes import NAMESPACE, RunPayments
from deploy.local.infrastructure import Infrastructure
from services.runtime.payloads import data_converter

CITY = "benchmarks.harness.instant_city"
COUNTY = TOWN[:6]
PERIOD = date(2026, 3, 1)
AWARDS = "select count(*) from disbursement.awards"
ACCEPTED = "disbursement.payments where state = 'accepted'"


async def payments_per_second(awards: int, progress: Progress) -> tuple[float, float]:
    """The system's and the floor's, from the order to pay to the commit of the bank's last word."""
    progress("pay day: servers")
    async with servers() as running:
        theirs = await _floor(running, awards, progress)
        return await _system(running, awards, progress), theirs


async def _floor(running: Infrastructure, awards: int, progress: Progress) -> float:
    progress("pay day: floor")
    port = running.world.port("floor-city")
    async with (
        floor_database(running) as connection,
        children.running(running, "floor-city", CITY, environment={"ONETHING_HTTP_PORT": str(port)}) as city,
    ):
        await children.wait_until_serving(city, port)
        await connection.execute(bare.CREATE)
        await connection.execute(bare.STORE_AWARDS, awards)
        await settle(running)
        await children.run_to_end(running, "floor-pay-day", "benchmarks.floors.pay_day", environment={
            "FLOOR_DSN": running.database_dsn("admin", DATABASE), "FLOOR_CITY": running.world.url("floor-city")})
        started_at: Any = await connection.fetchval(f"select at from {bare.SCHEMA}.started")
        return awards / await _seconds_since(connection, started_at, f"{bare.SCHEMA}.payments where state = 'accepted'")


async def _system(running: Infrastructure, awards: int, progress: Progress) -> float:
    progress("pay day: system")
    async with processes(running, ("intake", "disbursement", "bank"), {**LOADED_INTAKE, "bank": CITY}) as ours:
        await _grant(ours, awards)
        await settle(running)
        client = await Client.connect(running.temporal_address, namespace=NAMESPACE,
                                      data_converter=data_converter(running.secrets.symmetric_key("PAYLOAD_KEY")))
        async with Worker(client, task_queue=QUEUE, workflows=[PayDayWorkflow]):
            started_at: Any = await ours.connection.fetchval("select clock_timestamp()")
            await client.execute_workflow(PayDayWorkflow.run, RunPayments(place=COUNTY, period=PERIOD),
                                          id=f"pay-day-{new_id()}", task_queue=QUEUE)
            await wait_for_count(ours.connection, f"select count(*) from {ACCEPTED}", awards)
        return awards / await _seconds_since(ours.connection, started_at, ACCEPTED)


async def _grant(ours: Processes, awards: int) -> None:
    """Households on file with intake, and an award for each as approval would tell of it."""
    await ours.post("intake", "/forms", {"kind": "dibao_alone", "first": 0, "cases": awards})
    await ours.post("intake", "/load", asdict(Load(awards, BATCH, hands=HANDS)))
    cases = await ours.connection.fetch("select case_id, applicant_person_id from intake.cases")
    await write_awards(ours.servers.kafka_bootstrap, [(row["case_id"], row["applicant_person_id"]) for row in cases])
    await wait_for_count(ours.connection, AWARDS, awards)


async def _seconds_since(connection: asyncpg.Connection, started_at: datetime, accepted: str) -> float:
    last: Any = await connection.fetchval(f"select max(pg_xact_commit_timestamp(xmin)) from {accepted}")
    return (last - started_at).total_seconds()
