"""The measures of one run: the system's value, the floor's, and their ratio."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console, Group
from rich.table import Table

from benchmarks.categories import CATEGORIES
from benchmarks.measuring import Timing, percentile
from benchmarks.small_emergency import Samples

GOALS = {
    "throughput": "≥ 0.15 now, 0.3 aim, 0.6 end",
    "latency_p50": "≤ 6 now, 3 aim",
    "latency_p99": "≤ 6 now, 3 aim",
    "others.throughput": "little, else repeat",
    "others.latency": "little, else repeat",
}
CPU = "CPU ms"
FUNCTIONS_SHOWN = 8
P50, P99 = 0.5, 0.99
DIGITS = 3


@dataclass(frozen=True)
class Measure:
    """One figure; `floor` and `ratio` are None for what the floor has not got."""

    value: float
    floor: float | None
    ratio: float | None
    unit: str


@dataclass(frozen=True)
class Side:
    """The two timings of the floor or of the system."""

    throughput: Timing
    latency: Timing


@dataclass(frozen=True)
class Report:
    """All measures by name, and what each process was seen doing."""

    measures: dict[str, Measure]
    samples: dict[str, Samples]

    def as_json(self) -> dict[str, Any]:
        """Per measure {value, floor, ratio, unit}."""
        return {name: asdict(measure) for name, measure in self.measures.items()}


def report_of(system: Side, floor: Side, samples: Mapping[str, Samples]) -> Report:
    """Put both sides beside each other."""
    measures = {
        "throughput": _beside(system.throughput.cases_per_second, floor.throughput.cases_per_second, "cases/s"),
        "latency_p50": _latency(system.latency.latencies_ms, floor.latency.latencies_ms, P50),
        "latency_p99": _latency(system.latency.latencies_ms, floor.latency.latencies_ms, P99),
    }
    for hop, milliseconds in system.latency.hops_ms.items():
        measures[f"latency_p50.{hop}"] = _latency(milliseconds, floor.latency.hops_ms[hop], P50)
    measures["cpu_per_case"] = _beside(_all_cpu(system.throughput), _all_cpu(floor.throughput), CPU)
    for name, cpu_ms in sorted(system.throughput.cpu_ms_per_case.items()):
        measures[f"cpu_per_case.{name}"] = _beside(cpu_ms, floor.throughput.cpu_ms_per_case.get(name), CPU)
    for name, ours, bare in (("throughput", system.throughput, floor.throughput),
                             ("latency", system.latency, floor.latency)):
        measures[f"others.{name}"] = Measure(
            round(ours.others_percent, 1), round(bare.others_percent, 1), None, "% of machine, by others"
        )
    for name, share in _shares(samples).items():
        measures[f"time.{name}"] = Measure(share, None, None, "% of CPU")
    return Report(measures, dict(samples))


def print_report(report: Report, console: Console) -> None:
    """For a person: the measures, where the time goes by process, and the functions that take most of it."""
    console.print(Group(_measures_table(report), _time_table(report), _functions_table(report)))


def _beside(value: float, floor: float | None, unit: str) -> Measure:
    ratio = round(value / floor, DIGITS) if floor else None
    return Measure(round(value, DIGITS), None if floor is None else round(floor, DIGITS), ratio, unit)


def _latency(value: Sequence[float], floor: Sequence[float], share: float) -> Measure:
    return _beside(percentile(value, share), percentile(floor, share), "ms")


def _all_cpu(timing: Timing) -> float:
    return sum(timing.cpu_ms_per_case.values())


def _shares(samples: Mapping[str, Samples]) -> dict[str, float]:
    counted: Counter[str] = Counter()
    for process in samples.values():
        counted.update(process.categories)
    return {name: _percent(counted[name], counted.total()) for name in CATEGORIES}


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole else 0.0


def _measures_table(report: Report) -> Table:
    table = Table("measure", "system", "floor", "ratio", "unit", "goal", title="Small emergency 小额快救")
    for name, measure in report.measures.items():
        if not name.startswith("time."):
            table.add_row(name, f"{measure.value:g}", _shown(measure.floor), _shown(measure.ratio), measure.unit,
                          GOALS.get(name, ""))
    return table


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _time_table(report: Report) -> Table:
    table = Table("% of CPU", *report.samples, "all", title="Where the time goes")
    for name in CATEGORIES:
        parts = [_percent(process.categories.get(name, 0), process.samples) for process in report.samples.values()]
        table.add_row(name, *(f"{part:g}" for part in parts), f"{report.measures[f'time.{name}'].value:g}")
    return table


def _functions_table(report: Report) -> Table:
    table = Table("process", "function, with the libraries it calls", "%", title="Who spends it")
    for name, process in report.samples.items():
        for function, count in Counter(process.itself).most_common(FUNCTIONS_SHOWN):
            table.add_row(name, function, f"{_percent(count, process.samples):g}")
        table.add_section()
    return table
