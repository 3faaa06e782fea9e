"""`onething story run`: try a matter of your own."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from deploy.cli.fresh_world import fresh_world, run_to_end
from deploy.cli.running_stack import FRESH_HOME, RunningStack
from deploy.cli.story_run import LEGAL_ZONE, all_held, play, print_table, read
from deploy.cli.terminal import print_json
from deploy.local.problem import StackProblem
from deploy.local.world import World
from deploy.sandbox.player.story import Story

# Legal time runs on while the processes start; the first step must not be past by then.
BEFORE_FIRST_STEP = timedelta(hours=1)

app = typer.Typer(no_args_is_help=True, help="Play stories: real matters told as data.")


@app.callback()
def group() -> None:
    """Play stories: real matters told as data."""


@app.command(epilog="Example: onething story run tests/journeys/stories/C4.yaml --fresh")
def run(
    files: Annotated[list[Path], typer.Argument(help="Story files; they are played at the same time.")],
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Play on a fresh world of its own, whatever stack is up.")
    ] = False,
    copies: Annotated[int, typer.Option(min=1, max=20, help="How many copies, each with other people.")] = 1,
    json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
) -> None:
    """Play stories on the stack that is up, or on a fresh one where none is."""
    stories = [read(file) for file in files]
    stack = None if fresh else _stack_that_is_up()
    if stack:
        reports = asyncio.run(_play_on(stack, stories, copies))
    else:
        reports = run_to_end(_play_on_fresh_world(stories, copies))
    if json:
        print_json([_public(report) for report in reports])
    else:
        print_table(reports)
    if not all_held(reports):
        raise typer.Exit(1)


def earliest_start(stories: list[Story]) -> datetime:
    """Where legal time begins on a fresh world for these stories."""
    return min(story.calendar.start() for story in stories) - BEFORE_FIRST_STEP


def _stack_that_is_up() -> RunningStack | None:
    try:
        return RunningStack.find()
    except StackProblem:
        return None


async def _play_on(stack: RunningStack, stories: list[Story], copies: int) -> list[dict[str, Any]]:
    clock = await stack.ask("keeper", "GET", "/clock")
    legal_now = datetime.fromisoformat(clock["legal_now"])
    first = min(story.calendar.start() for story in stories)
    if legal_now > first:
        elsewhere = "Begin a new world where it runs: docker compose down --volumes && docker compose up --wait"
        raise StackProblem(
            "clock_is_past",
            f"The stack's clock is at {legal_now.astimezone(LEGAL_ZONE):%Y-%m-%d %H:%M}, past the story's start "
            f"{first:%Y-%m-%d %H:%M}. "
            + (elsewhere if stack.world.addresses else "Play it on a world of its own: add --fresh"),
        )
    return await play(stack, stories, copies=copies)


async def _play_on_fresh_world(stories: list[Story], copies: int) -> list[dict[str, Any]]:
    async with fresh_world(FRESH_HOME, earliest_start(stories)) as stack:
        reports = await play(stack, stories, copies=copies)
    World.open(FRESH_HOME).wipe()
    return reports


def _public(report: dict[str, Any]) -> dict[str, Any]:
    return {name: report[name] for name in ("id", "passed", "expectations", "legal_days", "real_seconds")}
