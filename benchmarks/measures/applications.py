"""`POST /applications` over 32 connections, beside a bare application that stores the same body and rows.

The system goes first: the rows it wrote per application are what the floor has to write.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import orjson

from benchmarks.floors.applications_app import schema
from benchmarks.floors.pipeline import DATABASE, floor_database
from benchmarks.harness import children
from benchmarks.harness.forms import FORMS, OFFICER, TOWN, body_of
from benchmarks.harness.http_load import Sent
from benchmarks.harness.journeys import count_of
from benchmarks.harness.processes import processes
from benchmarks.harness.processor_time import CpuMeter
from benchmarks.harness.servers import server_pids, servers, settle
from benchmarks.harness.two_sides import REPEATS, Progress, others, time_figures
from benchmarks.result import P50, P99, Figure, Result, Samples, beside, distribution, percentile
from deploy.local.infrastructure import Infrastructure
from deploy.local.problem import StackProblem
from deploy.sandbox.tokens import IdentityProvider

CONNECTIONS = 32
WARM_UP_REQUESTS = 200
PATH = "/applications"
KINDS = {"one_person": ("emergency", 1), "household": ("dibao_household", 2)}
"""Figure → form, and by what the number of requests is divided: a household's form is three times as large."""
FLOOR = "floor-applications"
OUTBOX_ROWS = """
    select coalesce(max(last_value), 0) from pg_sequences where schemaname = 'intake' and sequencename like 'outbox%'
"""


@dataclass
class Client:
    """Posts made-up forms, no two alike, from a process of its own."""

    servers: Infrastructure
    authorization: str
    pids: dict[str, int] = field(default_factory=dict[str, int])
    """Of whom it posts to, so that strangers on the machine are told apart."""
    next_number: int = 0
    loads: int = 0

    async def post(self, port: int, kind: str, requests: int) -> Sent:
        """So many forms of a kind to a port. Raises StackProblem for a refusal, which would be quick to answer."""
        bodies, outcome = self._file("bodies.jsonl"), self._file("sent.json")
        numbers = range(self.next_number, self.next_number + requests)
        bodies.write_bytes(b"\n".join(body_of(FORMS[kind](number)) for number in numbers))
        self.next_number += requests
        self.loads += 1
        meter = CpuMeter({**server_pids(self.servers), **self.pids})
        await children.run_to_end(
            self.servers, "http-load", "benchmarks.harness.http_load", port, PATH, CONNECTIONS, bodies, outcome,
            environment={"LOAD_HEADERS": f"Authorization: {self.authorization}"},
        )
        sent = Sent.model_validate_json(outcome.read_bytes())
        used = meter.used()
        if sent.refused:
            raise StackProblem("benchmark_refused", f"{sent.refused} of {requests} applications were refused; the "
                               f"first answer stands in {self.servers.world.logs / 'http-load.log'}.")
        return sent.model_copy(update={"others_percent": used.others_without(sent.all_cpu_seconds)})

    async def median(self, port: int, kind: str, requests: int) -> Sent:
        """Warm up, then the median of several loads."""
        await self.post(port, kind, WARM_UP_REQUESTS)
        sent: list[Sent] = []
        for _ in range(REPEATS):
            await settle(self.servers)
            sent.append(await self.post(port, kind, requests))
        return sorted(sent, key=lambda one: one.seconds)[REPEATS // 2]

    def _file(self, name: str) -> Path:
        return self.servers.world.home / f"load-{self.loads}-{name}"


@dataclass(frozen=True)
class System:
    """What our side came to."""

    sent: dict[str, Sent]
    rows: dict[str, dict[str, int]]
    """Per application, by form and table."""
    samples: dict[str, Samples]


async def measure(cases: int, progress: Progress) -> Result:
    """Applications a second, and how long one waits. Raises StackProblem when a part fails."""
    progress("servers")
    async with servers() as running:
        identities = IdentityProvider(running.secrets.signing_key_file("idp"))
        token = identities.headers("officer", OFFICER, jurisdiction=TOWN)["Authorization"]
        client = Client(running, token)
        ours = await _system(running, client, cases, progress)
        theirs = await _floor(running, client, cases, progress, ours.rows)
    figures: dict[str, Figure] = {}
    for name, (kind, divided_by) in KINDS.items():
        figures |= _figures(name, ours.sent[kind], theirs[kind], cases // divided_by)
    emergency, _ = KINDS["one_person"]
    return Result(
        figures={**figures, **time_figures(ours.samples)}, samples=ours.samples,
        latencies_ms={"system": distribution(ours.sent[emergency].latencies_ms),
                      "floor": distribution(theirs[emergency].latencies_ms)},
        notes=[f"{cases // divided_by} requests with the form `{kind}`; rows per application on both sides: "
               f"{sum(ours.rows[kind].values())}. The floor checks no token and publishes nothing."
               for kind, divided_by in KINDS.values()],
    )


async def _system(running: Infrastructure, client: Client, cases: int, progress: Progress) -> System:
    progress("system: start")
    sent: dict[str, Sent] = {}
    rows: dict[str, dict[str, int]] = {}
    async with processes(running, ("intake",)) as ours:
        port, client.pids = running.world.ports["intake"], ours.pids
        for kind, divided_by in KINDS.values():
            progress(f"system: {kind}")
            before = await _rows(ours.connection)
            await client.post(port, kind, WARM_UP_REQUESTS)
            after = await _rows(ours.connection)
            rows[kind] = {table: (after[table] - before[table]) // WARM_UP_REQUESTS for table in after
                          if after[table] - before[table] >= WARM_UP_REQUESTS}
            sent[kind] = await client.median(port, kind, cases // divided_by)
        progress("system: where the time goes")
        samples = await ours.sampled(client.post(port, "emergency", cases))
    return System(sent, rows, samples)


async def _rows(connection: asyncpg.Connection) -> dict[str, int]:
    """Rows ever written to each of intake's tables; the outbox is emptied again, so its sequence tells."""
    tables = [row["tablename"] for row in await connection.fetch(
        "select tablename from pg_tables where schemaname = 'intake' and tablename <> 'outbox'")]
    counted = {table: await count_of(connection, f"select count(*) from intake.{table}") for table in tables}
    return {**counted, "outbox": await count_of(connection, OUTBOX_ROWS)}


async def _floor(
    running: Infrastructure, client: Client, cases: int, progress: Progress, rows: Mapping[str, Mapping[str, int]]
) -> dict[str, Sent]:
    sent: dict[str, Sent] = {}
    async with floor_database(running) as connection:
        port = running.world.port(FLOOR)
        for kind, divided_by in KINDS.values():
            progress(f"floor: {kind}")
            await connection.execute(schema(rows[kind]))
            environment = {"FLOOR_DSN": running.database_dsn("admin", DATABASE),
                           "FLOOR_ROWS": orjson.dumps(rows[kind]).decode()}
            module = "benchmarks.floors.applications_app"
            async with children.running(running, FLOOR, module, port, environment=environment) as app:
                await children.wait_until_serving(app, port)
                client.pids = {FLOOR: app.pid or 0}
                sent[kind] = await client.median(port, kind, cases // divided_by)
    return sent


def _figures(name: str, ours: Sent, theirs: Sent, requests: int) -> dict[str, Figure]:
    return {
        name: beside(requests / ours.seconds, requests / theirs.seconds, "requests/s"),
        **{f"{name}.{label}": beside(percentile(ours.latencies_ms, share), percentile(theirs.latencies_ms, share), "ms")
           for label, share in (("latency_p50", P50), ("latency_p99", P99))},
        f"{name}.load_generator": Figure(
            value=round(100 * ours.cpu_seconds / ours.seconds, 1),
            floor=round(100 * theirs.cpu_seconds / theirs.seconds, 1), ratio=None, unit="% of a core, load generator"),
        f"{name}.others": others(ours.others_percent, theirs.others_percent),
    }
