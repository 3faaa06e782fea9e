"""Dibao (低保): submitted to `decision.proposed` with sources and visit answering at once, and a pay day."""

from __future__ import annotations

from benchmarks.catalogue import CASES
from benchmarks.floors.pipeline import floor
from benchmarks.harness import children
from benchmarks.harness.journeys import Journey, wait_for_count
from benchmarks.harness.load import Load
from benchmarks.harness.processes import Processes, processes
from benchmarks.harness.servers import servers
from benchmarks.harness.two_sides import Progress, Side, System, compared, measure_side, time_figures
from benchmarks.measures import pay_day
from benchmarks.measures.small_emergency import LOADED_INTAKE
from benchmarks.result import Result, Samples, beside, distribution
from deploy.local.infrastructure import Infrastructure

INSTANT_CITY = "benchmarks.harness.instant_city"
TAKING_PART = ("intake", "verification", "approval", "coordination", "workflows", "sources")
JOURNEY = Journey("intake.cases", {
    "verification": "verification.verifications where state = 'completed'", "approval": "approval.decisions",
})
PROPOSED = 300
WARM_UP_CASES = 20
BATCH = 50
HANDS = 2
PACED_PER_SECOND = 4.0
PACED_SECONDS = 15
UNTOLD = "select 1 - least(1, count(*)) from coordination.pending_signals where sent_at is null"
"""1 once every workflow has been told everything."""


async def measure(cases: int, progress: Progress) -> Result:
    """Cases proposed a second, their latency, payments a second. Raises StackProblem when a part fails."""
    proposed = max(WARM_UP_CASES, PROPOSED * cases // CASES)
    loads = {
        "warm_up": Load(WARM_UP_CASES, BATCH, hands=HANDS), "at_once": Load(proposed, BATCH, hands=HANDS),
        "paced": Load(int(PACED_PER_SECOND * PACED_SECONDS), per_second=PACED_PER_SECOND),
    }
    progress("servers")
    async with servers() as running:
        city_port = running.world.port("floor-city")
        environment = {"ONETHING_HTTP_PORT": str(city_port)}
        async with children.running(running, "floor-city", INSTANT_CITY, environment=environment) as city:
            await children.wait_until_serving(city, city_port)
            async with floor(running, "dibao", city_url=running.world.url("floor-city")) as bare:
                theirs = await measure_side(bare, running, progress, name="floor", **loads)
        progress("system: start")
        ours, samples = await _system(running, loads, progress)
    paid, bare_paid = await pay_day.payments_per_second(cases, progress)
    return Result(
        figures={**compared(ours, theirs, "proposed"), "paid": beside(paid, bare_paid, "payments/s"),
                 **time_figures(samples)},
        samples=samples,
        latencies_ms={"system": distribution(ours.latency.latencies_ms),
                      "floor": distribution(theirs.latency.latencies_ms)},
        notes=[f"{proposed} applications of one person in batches of {BATCH}, latency at {PACED_PER_SECOND:g} cases/s "
               f"for {PACED_SECONDS} s; seven sources and two officers answer at once, the same for both sides. The "
               "system gathers questions for 150 ms before it asks, and starts a workflow per item meanwhile.",
               f"`paid`: {cases} awards on a pay day, from the order to run it to the bank's word on the last."],
    )


async def _system(
    running: Infrastructure, loads: dict[str, Load], progress: Progress
) -> tuple[Side, dict[str, Samples]]:
    modules = {**LOADED_INTAKE, "sources": INSTANT_CITY}
    async with processes(running, TAKING_PART, modules) as ours:
        environment = {"VISITS_KAFKA": running.kafka_bootstrap, "VISITS_VERIFICATION_URL": ours.url("verification"),
                       "VISITS_IDP_KEY_FILE": str(running.secrets.signing_key_file("idp"))}
        async with children.running(running, "visits", "benchmarks.harness.instant_visits", environment=environment):
            system = System(ours, "dibao_alone", JOURNEY, before_each=lambda: _until_told(ours))
            side = await measure_side(system, running, progress, name="system", **loads)
            progress("system: where the time goes")
            return side, await system.sample(loads["at_once"])


async def _until_told(ours: Processes) -> None:
    """Workflows of the load before would take part of this one's processor time."""
    await wait_for_count(ours.connection, UNTOLD, 1)
