"""The rulebook beside the same rules without one: a household's menu, a batch of them, a province's register."""

from __future__ import annotations

import asyncio
import gc
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.catalogue import CASES
from benchmarks.floors.plain_rules import ON, PLACE, NumpyRules, three_in_python
from benchmarks.harness.population import a_register
from benchmarks.harness.two_sides import Progress
from benchmarks.result import Figure, Result, alone, beside
from contracts.benefits import Benefit
from contracts.facts import FactValue
from deploy.local.problem import StackProblem
from deploy.local.world import PROJECT_ROOT
from services.rulebook import HouseholdFacts, menu, menus, sample

HOUSEHOLDS_COUNT, PERSONS_COUNT = 577_400, 1_047_200
"""Qinghai's low-income register (青海, 2025)."""
THREE = (Benefit.DIBAO, Benefit.TEKUN, Benefit.TEMPORARY_ASSISTANCE)
BATCH, ROUNDS = 200, 15
KB_PER_GIB = 1024 * 1024
SCREENING = "benchmarks.measures.rulebook"


async def measure(cases: int, progress: Progress) -> Result:
    """Milliseconds a household, seconds a register, memory, seconds of import. A register shrinks with the cases."""
    progress("menus")
    figures = _menus()
    for name in ("three", "all"):
        progress(f"register, {name}")
        figures |= await _screened(name, min(1.0, cases / CASES))
    progress("import")
    figures["import"] = alone(statistics.median([await _import_seconds() for _ in range(3)]), "s")
    return Result(figures=figures, notes=[
        f"Menus of {len(sample())} made-up households, every benefit with reasons, sources and trace, against dibao, "
        "tekun and temporary assistance in plain Python, which tells a sum only. The register is made up: "
        f"{HOUSEHOLDS_COUNT:,} households, {PERSONS_COUNT:,} people; the floor is NumPy with the figures in the code, "
        "and both sides must come to the same fen. Memory is the peak of a process of its own, the register included.",
    ])


def _menus() -> dict[str, Figure]:
    households = [told.facts(ON).model_copy(update={"place": PLACE}) for told in sample()]
    plain = [_plain(household) for household in households]
    batch = [households[number % len(households)] for number in range(BATCH)]
    menus(batch)  # what is read once for a place and day is not a household's time
    singly = _milliseconds(lambda: [menu(household) for household in households], len(households))
    together = _milliseconds(lambda: menus(batch), BATCH)
    floor = _milliseconds(lambda: [three_in_python(*one) for one in plain for _ in range(100)], len(plain) * 100)
    return {"menu_singly": beside(singly, floor, "ms/household"),
            "menu_in_batch": beside(together, floor, "ms/household")}


def _plain(household: HouseholdFacts) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    def values(facts: Sequence[Any]) -> dict[str, FactValue]:
        return {fact.name.value: fact.value for fact in facts}

    return [values(member.facts) for member in household.members], values(household.facts)


def _milliseconds(work: Callable[[], object], households_count: int) -> float:
    """Of the quickest of several rounds: a neighbour on the machine only ever adds."""
    rounds: list[float] = []
    gc.disable()
    for _ in range(ROUNDS):
        began_at = time.perf_counter()
        work()
        rounds.append(time.perf_counter() - began_at)
        gc.collect()
    gc.enable()
    return min(rounds) * 1000 / households_count


async def _screened(name: str, share: float) -> dict[str, Figure]:
    told = json.loads(await _python("-m", SCREENING, name, str(share)))
    if name == "three":
        return {"screen_three": beside(told["seconds"], told["floor_seconds"], "s")}
    return {"screen_all": alone(told["seconds"], "s"), "screen_memory": alone(told["peak_gib"], "GiB"),
            "screen_benefits": alone(told["benefits"], "benefits"), "variables": alone(told["variables"], "variables")}


async def _import_seconds() -> float:
    return float(await _python("-c", "import time; t = time.perf_counter(); import services.rulebook; "
                                     "print(time.perf_counter() - t)"))


async def _python(*arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, cwd=PROJECT_ROOT,
                                                   stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    out, told = await process.communicate()
    if process.returncode:
        raise StackProblem("benchmark_failed", told.decode(errors="replace").strip().splitlines()[-1])
    return out.decode()


def screen_alone(name: str, share: float) -> dict[str, float]:
    """What a process of its own tells of one screening."""
    import resource

    from services.rulebook.benefit_rules import benefits
    from services.rulebook.places import rule_place
    from services.rulebook.screening import UNKNOWN, screen
    from services.rulebook.simulation import system_of

    register = a_register(max(1, round(HOUSEHOLDS_COUNT * share)), max(1, round(PERSONS_COUNT * share)))
    codes = list(THREE if name == "three" else benefits())
    screen(PLACE, ON, a_register(100, 200), codes)
    began_at = time.perf_counter()
    found = screen(PLACE, ON, register, codes)
    told: dict[str, float] = {"seconds": time.perf_counter() - began_at,
                              "benefits": sum(int((one.outcome != UNKNOWN).any()) for one in found.values())}
    if name == "three":
        began_at = time.perf_counter()
        plain = NumpyRules(register)
        sums = (plain.dibao(), plain.tekun(), plain.temporary_assistance())
        told["floor_seconds"] = time.perf_counter() - began_at
        for code, sum_fen in zip(THREE, sums, strict=True):
            if not np.array_equal(found[code].amount_fen, sum_fen):
                where = int(np.flatnonzero(found[code].amount_fen != sum_fen)[0])
                raise StackProblem("benchmark_failed", f"{code}: household {where}: the rulebook says "
                                   f"{found[code].amount_fen[where]}, NumPy {sum_fen[where]}.")
    calculated = [variable for variable in system_of(rule_place(PLACE)).variables.values()
                  if not variable.is_input_variable()]
    told["variables"] = len(calculated)
    told["peak_gib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KB_PER_GIB
    return told


if __name__ == "__main__":
    sys.stdout.write(json.dumps(screen_alone(sys.argv[1], float(sys.argv[2]))))
