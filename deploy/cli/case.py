"""`onething case show`: the whole story of a case over all services."""

import asyncio
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.markup import escape
from rich.table import Table

from deploy.cli.case_events import events_of
from deploy.cli.running_stack import RunningStack
from deploy.cli.terminal import out, print_json
from deploy.local.problem import StackProblem
from deploy.local.secret_store import SERVICES

app = typer.Typer(no_args_is_help=True, help="Look at a case.")


@app.callback()
def group() -> None:
    """Look at a case."""


@app.command(epilog="Example: onething case show 018f2c9e-7a51-7c3e-9d0b-5f2a6b1c8e44")
def show(
    case_id: Annotated[UUID, typer.Argument(help="The case's id, as the demo prints it.", metavar="ID")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
) -> None:
    """Show a case's events, decisions, payments, referrals and deadlines, service by service."""
    story = asyncio.run(_gather(RunningStack.find(), case_id))
    if json:
        print_json(story)
        return
    out.print(f"Case {case_id}")
    for part in ("events", *SERVICES):
        if part in story:
            _print_part(part, story[part])


async def _gather(stack: RunningStack, case_id: UUID) -> dict[str, Any]:
    answers = await stack.ask_all(SERVICES, f"/cases/{case_id}")
    if "intake" not in answers:  # every case begins there
        raise StackProblem("no_such_case", f"There is no case {case_id}. Ids are printed by the demo.")
    events = await events_of(stack.world, case_id)
    return {"case_id": str(case_id), "events": events, **answers}


def _print_part(name: str, content: Any) -> None:
    """Lists of things become tables, everything else lines: whatever a service tells is shown."""
    match content:
        case dict():
            out.rule(name, align="left")
            content = {key: value for key, value in content.items() if key != "case_id"}
            lines = {key: value for key, value in content.items() if not isinstance(value, list | dict)}
            for key, value in lines.items():
                out.print(f"  {key}: {value}", soft_wrap=True, markup=False)
            for key in (key for key in content if key not in lines):
                _print_part(f"{name}: {key}", content[key])
        case [dict(), *_]:
            columns = list(dict.fromkeys(key for row in content for key in row))
            table = Table(*columns, title=name, title_justify="left", box=None, header_style="bold")
            for row in content:
                table.add_row(*(escape(str(row.get(column, ""))) for column in columns))
            out.print(table)
        case []:
            pass
        case _:
            out.print(f"  {name}: {content}", soft_wrap=True, markup=False)
