"""`onething clock`: legal time, as its keeper has it."""

import asyncio
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from deploy.cli.running_stack import RunningStack
from deploy.cli.terminal import out, print_json
from deploy.local.problem import StackProblem

LEGAL_ZONE = ZoneInfo("Asia/Shanghai")

app = typer.Typer(no_args_is_help=True, help="Show, hold, release and leap legal time.")
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]


@app.command(epilog="Example: onething clock show")
def show(json: AsJson = False) -> None:
    """Show legal time, whether all is quiet, and who is waited for."""
    _print(asyncio.run(_ask("GET", "/clock")), json)


@app.command(epilog="Example: onething clock hold")
def hold(json: AsJson = False) -> None:
    """Let legal time make no leap of its own until released."""
    _print(asyncio.run(_ask("POST", "/hold")), json)


@app.command(epilog="Example: onething clock release")
def release(json: AsJson = False) -> None:
    """Let legal time leap again when all is quiet."""
    _print(asyncio.run(_ask("POST", "/release")), json)


@app.command(epilog="Example: onething clock leap --to 2026-03-09T09:00")
def leap(
    to: Annotated[str, typer.Option("--to", help="Legal time, Asia/Shanghai unless it names another zone.")],
    force: Annotated[bool, typer.Option("--force", help="Leap although somebody is busy.")] = False,
    json: AsJson = False,
) -> None:
    """Leap forward to a legal moment."""
    body = {"to": _moment(to).isoformat(), "force": force}
    _print(asyncio.run(_ask("POST", "/leap", json=body)), json)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise StackProblem("not_a_moment", f"{text!r} is no date or time. Write it like 2026-03-09T09:00.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=LEGAL_ZONE)


async def _ask(method: str, path: str, **request: Any) -> dict[str, Any]:
    return await RunningStack.find().ask("keeper", method, path, role="keeper", **request)


def _print(clock: dict[str, Any], json: bool) -> None:
    if json:
        print_json(clock)
        return
    out.print(f"Legal time: {_legal(clock['legal_now'])} (leap {clock['leap_number']})")
    out.print(f"Next:       {_legal(clock['next_at']) if clock['next_at'] else 'nothing waits for a moment'}")
    out.print(f"State:      {_state(clock)}", soft_wrap=True, markup=False)


def _state(clock: dict[str, Any]) -> str:
    if clock["held"]:
        return "held"
    if clock["hindered_by"]:
        return f"hindered: {clock['hindered_by']}"
    if clock["quiet"]:
        return "quiet"
    busy = ", ".join(
        f"{other['process']} ({'no answer' if other['pending'] is None else other['pending']})"
        for other in clock["waiting_on"]
    )
    return f"waiting on {busy or 'a second quiet look'}"


def _legal(text: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone(LEGAL_ZONE):%Y-%m-%d %H:%M:%S} Asia/Shanghai"
