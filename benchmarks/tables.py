"""A result for a person at a terminal: figures and goals, where the time goes, who spends it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from benchmarks.catalogue import Measure
from benchmarks.goals import GOALS, Verdict
from benchmarks.harness.categories import CATEGORIES
from benchmarks.result import Result, percent, shares

FUNCTIONS_SHOWN = 8
TIME = "time."
COLOURS = {Verdict.AIM: "green", Verdict.MUST: "green", Verdict.SHORT: "yellow", Verdict.MISSED: "red"}


def print_result(measure: Measure, result: Result, console: Console) -> None:
    """Everything a run of one measure found."""
    for table in _tables(measure, result):
        console.print(table)
    for note in result.notes:
        console.print(note, markup=False)


def _tables(measure: Measure, result: Result) -> Iterator[Table]:
    yield _figures(measure, result)
    if result.samples:
        yield _time(result)
        yield _functions(result)


def _figures(measure: Measure, result: Result) -> Table:
    table = Table("figure", "value", "floor", "ratio", "unit", "goal", "verdict", title=measure.title)
    for name, figure in result.figures.items():
        if name.startswith(TIME):
            continue
        goal = GOALS.get(f"{measure.name}.{name}")
        verdict = goal.verdict(figure) if goal else None
        shown = f"[{COLOURS[verdict]}]{verdict}[/]" if verdict else ""
        table.add_row(name, f"{figure.value:g}", _shown(figure.floor), _shown(figure.ratio), figure.unit,
                      goal.words if goal else "", shown)
    return table


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _time(result: Result) -> Table:
    table = Table("% of CPU", *result.samples, "all", title="Where the time goes")
    for name, share in shares(result.samples, CATEGORIES).items():
        parts = [percent(process.categories.get(name, 0), process.samples) for process in result.samples.values()]
        table.add_row(name, *(f"{part:g}" for part in parts), f"{share:g}")
    return table


def _functions(result: Result) -> Table:
    table = Table("process", "function, with the libraries it calls", "%", title="Who spends it")
    for name, process in result.samples.items():
        for function, count in Counter(process.itself).most_common(FUNCTIONS_SHOWN):
            table.add_row(name, function, f"{percent(count, process.samples):g}")
        table.add_section()
    return table
