"""`onething bench`: the small emergency measured beside a bare floor, in one run."""

from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from benchmarks import run as one_run
from benchmarks.report import Report, print_report
from deploy.cli.fresh_world import run_to_end
from deploy.cli.terminal import err, out, print_json


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(epilog="Example: onething bench --json")(bench)


def bench(
    cases: Annotated[int, typer.Option(min=100, max=100_000, help="Cases of the throughput measure.")] = one_run.CASES,
    json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
) -> None:
    """Measure cases per second and latency beside a bare floor, and show where the time goes.

    It uses a world of its own in the system's temp folder. On a busy machine repeat it: only the ratios count.
    """
    report = run_to_end(_measure(cases))
    if json:
        print_json(report.as_json())
    else:
        print_report(report, out)


async def _measure(cases: int) -> Report:
    columns = (SpinnerColumn(), TextColumn("{task.description:<28}"), BarColumn(24), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=err, transient=True) as bar:
        task = bar.add_task("", total=len(one_run.STEPS))

        def begin(step: str) -> None:
            if not err.is_terminal:
                err.print(f"  {step}", markup=False)
            bar.update(task, completed=one_run.STEPS.index(step), description=step)

        return await one_run.run(cases, begin)
