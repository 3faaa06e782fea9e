"""`onething bench`: measures the system beside bare floors, in one run on the same servers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from benchmarks.catalogue import CASES, MEASURES, Measure
from benchmarks.result import Result
from deploy.cli.fresh_world import run_to_end
from deploy.cli.terminal import err, out, print_json

NAMES = ", ".join(MEASURES)
FEWEST_CASES, MOST_CASES = 100, 100_000


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(epilog="Example: onething bench small-emergency applications --json")(bench)


def bench(
    measures: Annotated[list[str] | None, typer.Argument(
        metavar="MEASURE", help=f"Of: {NAMES}. Without: all.")] = None,
    cases: Annotated[int, typer.Option(
        min=FEWEST_CASES, max=MOST_CASES,
        help="Cases of the small emergency's throughput; the other sizes grow and shrink with it.")] = CASES,
    json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
    profile: Annotated[Path | None, typer.Option(
        help="Folder for the sampled stacks of each process, for speedscope or flamegraph.pl.")] = None,
    page: Annotated[bool, typer.Option("--page", help="Keep the results and write docs/benchmarks.md anew.")] = False,
) -> None:
    """Measure the system beside a bare floor, and show where the time goes.

    Each measure uses a world of its own in the system's temp folder. On a busy machine repeat it: only ratios count.
    """
    chosen = [_measure(name) for name in dict.fromkeys(measures or MEASURES)]
    results: dict[str, Result] = {}
    for number, measure in enumerate(chosen, start=1):
        result = results[measure.name] = run_to_end(_run(measure, cases, f"{number}/{len(chosen)} {measure.name}"))
        if not json:
            _show(measure, result)
        if profile is not None:
            _write_stacks(result, profile / measure.name)
        if page:
            _keep(measure, result, cases)
    if json:
        print_json({f"{name}.{figure}": found.model_dump()
                    for name, result in results.items() for figure, found in result.figures.items()})


def _measure(name: str) -> Measure:
    try:
        return MEASURES[name]
    except KeyError:
        raise typer.BadParameter(f"There is no measure {name}. There are: {NAMES}.", param_hint="MEASURE") from None


async def _run(measure: Measure, cases: int, name: str) -> Result:
    with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=err,
                  transient=True) as bar:
        task = bar.add_task(name, total=None)

        def begin(step: str) -> None:
            if not err.is_terminal:
                err.print(f"  {name}: {step}", markup=False)
            bar.update(task, description=f"{name}: {step}")

        return await measure.run(cases, begin)


def _show(measure: Measure, result: Result) -> None:
    from benchmarks.tables import print_result

    print_result(measure, result, out)


def _write_stacks(result: Result, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for process, samples in result.samples.items():
        lines = (f"{stack} {count}\n" for stack, count in sorted(samples.stacks.items()))
        (folder / f"{process}.collapsed").write_text("".join(lines))


def _keep(measure: Measure, result: Result, cases: int) -> None:
    # Not at the top: the plotting library takes half a second, and only the page needs it.
    from benchmarks.page import write_page
    from benchmarks.runs import RESULTS_FILE, Run, keep

    options = "" if cases == CASES else f" --cases {cases}"
    keep(measure.name, Run.of(f"onething bench {measure.name}{options} --page", result))
    write_page()
    print(f"Kept in {RESULTS_FILE.name}; docs/benchmarks.md is written anew.", file=sys.stderr)
