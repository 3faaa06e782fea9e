"""`onething demo`: the stories of the journey tests on a fresh world, with live progress."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import typer

from deploy.cli.fresh_world import fresh_world, run_to_end
from deploy.cli.running_stack import DEMO_HOME, RunningStack
from deploy.cli.story import earliest_start
from deploy.cli.story_run import all_held, play, print_table, read
from deploy.cli.terminal import err, out
from deploy.local.problem import StackProblem
from deploy.local.secret_store import SERVICES
from deploy.local.world import PROJECT_ROOT

STORIES_FOLDER = PROJECT_ROOT / "tests" / "journeys" / "stories"


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(epilog="Example: onething demo")(demo)


def demo() -> None:
    """Start everything on a fresh world, play the stories, and show what came.

    In a terminal it stays up until Ctrl-C; without one it exits, with 0 only if every expectation held.
    """
    files = sorted(STORIES_FOLDER.glob("*.yaml"))
    if not files:
        raise StackProblem("no_stories", f"There are no stories in {STORIES_FOLDER}.")
    reports: list[dict[str, Any]] = []
    try:
        run_to_end(_show(files, reports))
    except KeyboardInterrupt:
        if not reports:
            raise
    if not all_held(reports):
        raise typer.Exit(1)


async def _show(files: list[Path], reports: list[dict[str, Any]]) -> None:
    stories = [read(file) for file in files]
    async with fresh_world(DEMO_HOME, earliest_start(stories)) as stack:
        err.print(f"Playing {len(stories)} stories in the sandbox city")
        reports += await play(stack, stories)
        print_table(reports)
        _print_where_next(stack, reports)
        if sys.stdout.isatty():
            out.print("\nThe stack stays up until Ctrl-C.")
            await asyncio.Event().wait()


def _print_where_next(stack: RunningStack, reports: list[dict[str, Any]]) -> None:
    out.print("\nWhere to look next" + ("" if sys.stdout.isatty() else " (in a terminal the stack stays up)"))
    for service in SERVICES:
        out.print(f"  API of {service}: {stack.world.url(service)}/docs")
    out.print(f"  Temporal's web page: {stack.world.url('temporal_web')}/namespaces/onething/workflows")
    case_ids = [case_id for report in reports for case_id in report["case_ids"]]
    if case_ids:
        out.print(f"  One case's timeline: ./onething case show {case_ids[0]}")
