"""Playing stories with the sandbox's player, and showing how they go."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from deploy.cli.running_stack import RunningStack
from deploy.cli.terminal import err, out
from deploy.local.problem import StackProblem
from deploy.sandbox.player.story import Story
from deploy.sandbox.player.story_file import StoryNotUnderstood, read_story

LEGAL_ZONE = ZoneInfo("Asia/Shanghai")
POLL_SECONDS = 0.3


def read(path: Path) -> Story:
    """The story in a file. Raises StackProblem for a file that is none."""
    try:
        return read_story(path)
    except StoryNotUnderstood as error:
        raise StackProblem("no_story", " ".join(str(error).split())) from None


async def play(stack: RunningStack, stories: Sequence[Story], *, copies: int = 1) -> list[dict[str, Any]]:
    """Play the stories at the same time and return the player's report of each when all are judged."""
    told = [story.model_dump(mode="json", by_alias=True, exclude_unset=True) for story in stories]
    body = {"stories": told, "copies": copies}
    run_id = (await stack.ask("player", "POST", "/runs", json=body))["run_id"]
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(24), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        tasks: dict[str, Any] = {}
        shown: dict[str, int] = {}
        while True:
            report = await stack.ask("player", "GET", f"/runs/{run_id}")
            clock = await stack.ask("keeper", "GET", "/clock")
            legal_now = datetime.fromisoformat(clock["legal_now"]).astimezone(LEGAL_ZONE)
            for story in report["stories"]:
                if story["id"] not in tasks:
                    tasks[story["id"]] = bar.add_task(story["id"], total=None)
                for line in story["progress"][shown.get(story["id"], 0) :]:
                    err.print(f"  {story['id']:<6} {line}", markup=False, soft_wrap=True)
                shown[story["id"]] = len(story["progress"])
                finished = story["state"] == "finished"
                description = f"{story['id']} {story['state']} · legal time {legal_now:%Y-%m-%d %H:%M}"
                bar.update(
                    tasks[story["id"]],
                    description=description,
                    total=1 if finished else None,
                    completed=1 if finished else 0,
                )
            if report["finished"]:
                return report["stories"]
            await asyncio.sleep(POLL_SECONDS)


def all_held(reports: Sequence[dict[str, Any]]) -> bool:
    """Whether every story passed; none at all is not a pass."""
    return bool(reports) and all(report["passed"] for report in reports)


def print_table(reports: Sequence[dict[str, Any]]) -> None:
    """Story, what was expected, what came, legal time used, real time."""
    table = Table("story", "expected", "came", "legal days", "real s", title="Stories 故事")
    for report in reports:
        first = True
        for expectation in report["expectations"]:
            mark = "[green]✓[/]" if expectation["held"] else "[red]✗[/]"
            table.add_row(
                f"{report['id']} {report['title']}" if first else "",
                expectation["text"],
                f"{mark} {expectation['saw']}",
                str(report["legal_days"]) if first else "",
                str(report["real_seconds"]) if first else "",
                end_section=expectation is report["expectations"][-1],
            )
            first = False
    out.print(table)
    passed = sum(report["passed"] for report in reports)
    out.print(f"{passed} of {len(reports)} stories passed.")
