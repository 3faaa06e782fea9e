"""Two officers who report every visit as soon as it is ordered.

    VISITS_KAFKA=… VISITS_VERIFICATION_URL=… VISITS_IDP_KEY_FILE=… python -m benchmarks.harness.instant_visits
"""

from __future__ import annotations

import asyncio
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import uvloop
from aiokafka import AIOKafkaConsumer

from contracts.catalogue import VISIT
from contracts.events.visit import VisitOrdered
from contracts.http.casework import ReportVisit
from deploy.sandbox.actor import CHINA
from deploy.sandbox.officers.app import officer_id
from deploy.sandbox.officers.findings import findings
from deploy.sandbox.tokens import IdentityProvider

AT_ONCE = 8
POLL_MS = 200
FETCH_WAIT_MS = 20


async def run() -> None:
    """Report until ended."""
    identities = IdentityProvider(Path(os.environ["VISITS_IDP_KEY_FILE"]))
    consumer = AIOKafkaConsumer(VISIT.name, bootstrap_servers=os.environ["VISITS_KAFKA"], group_id="instant-visits",
                                auto_offset_reset="earliest", fetch_max_wait_ms=FETCH_WAIT_MS)
    await consumer.start()
    slots = asyncio.Semaphore(AT_ONCE)
    async with httpx.AsyncClient(base_url=os.environ["VISITS_VERIFICATION_URL"], timeout=None, trust_env=False) as http:
        while True:
            polled = await consumer.getmany(timeout_ms=POLL_MS)
            records = [record for part in polled.values() for record in part]
            await asyncio.gather(*(_report(http, identities, slots, record) for record in records))


async def _report(http: httpx.AsyncClient, identities: IdentityProvider, slots: asyncio.Semaphore, record: Any) -> None:
    headers = {name: value.decode() for name, value in record.headers}
    if headers["ce_type"] != VisitOrdered.TYPE:
        return
    ordered = VisitOrdered.model_validate_json(record.value)
    place, today = ordered.performed_by, datetime.fromisoformat(headers["ce_time"]).astimezone(CHINA).date()
    report = ReportVisit(
        visited_on=today, investigators=[officer_id(place, 1), officer_id(place, 2)],
        findings=findings(ordered.findings_wanted, {}, (), today),
    )
    async with slots:
        answer = await http.post(
            f"/visits/{ordered.visit_id}/report", content=report.model_dump_json(),
            headers={"Content-Type": "application/json",
                     **identities.headers("officer", officer_id(place, 1), jurisdiction=place)},
        )
    answer.raise_for_status()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())
