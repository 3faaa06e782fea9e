"""A small emergency (小额快救) from intake to the bank, beside a bare pipeline of the same four hops."""

from __future__ import annotations

from benchmarks.floors.pipeline import floor
from benchmarks.harness.journeys import Journey
from benchmarks.harness.load import Load
from benchmarks.harness.processes import processes
from benchmarks.harness.servers import servers
from benchmarks.harness.two_sides import Progress, System, compared, measure_side, time_figures
from benchmarks.result import Result, distribution

TAKING_PART = ("intake", "approval", "disbursement", "coordination", "bank")
"""A small sum is neither checked nor waited for: verification and the workflow worker have nothing to do."""
LOADED_INTAKE = {"intake": "benchmarks.harness.loaded_intake"}
JOURNEY = Journey("intake.cases", {
    "approval": "approval.awards", "disbursement": "disbursement.awards",
    "bank": "disbursement.payments where state = 'accepted'",
})
WARM_UP_CASES = 300
BATCH = 200
HANDS = 2
PACED_PER_SECOND = 20.0
PACED_SECONDS = 15


async def measure(cases: int, progress: Progress) -> Result:
    """Cases a second and the latency at a steady pace. Raises StackProblem when a part fails or stands still."""
    at_once = Load(cases, BATCH, hands=HANDS)
    loads = {
        "warm_up": Load(WARM_UP_CASES, BATCH, hands=HANDS), "at_once": at_once,
        "paced": Load(int(PACED_PER_SECOND * PACED_SECONDS), per_second=PACED_PER_SECOND),
    }
    progress("servers")
    async with servers() as running:
        async with floor(running, "emergency") as bare:
            theirs = await measure_side(bare, running, progress, name="floor", **loads)
        progress("system: start")
        async with processes(running, TAKING_PART, LOADED_INTAKE) as ours:
            system = System(ours, "emergency", JOURNEY)
            our = await measure_side(system, running, progress, name="system", **loads)
            progress("system: where the time goes")
            samples = await system.sample(at_once)
    return Result(
        figures={**compared(our, theirs), **time_figures(samples)}, samples=samples,
        latencies_ms={"system": distribution(our.latency.latencies_ms),
                      "floor": distribution(theirs.latency.latencies_ms)},
        notes=[f"{cases} cases in batches of {BATCH} over {HANDS} connections, handed in to intake's use case without "
               f"HTTP; latency at {PACED_PER_SECOND:g} cases/s for {PACED_SECONDS} s."],
    )
