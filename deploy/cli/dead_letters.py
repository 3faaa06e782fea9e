"""`onething dead-letters`: records that could not be handled, and handling them again."""

import asyncio
from typing import Annotated, Any

import typer
from rich.table import Table

from deploy.cli.running_stack import RunningStack
from deploy.cli.terminal import err, out, print_json
from deploy.local.problem import StackProblem
from deploy.local.secret_store import SERVICES

app = typer.Typer(no_args_is_help=True, help="List, show and retry records that could not be handled.")
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
Service = Annotated[str, typer.Argument(help=f"One of: {', '.join(SERVICES)}.")]
LetterId = Annotated[str, typer.Argument(help="As `onething dead-letters list` shows it.")]


@app.command("list", epilog="Example: onething dead-letters list")
def list_letters(json: AsJson = False) -> None:
    """List the dead letters of every service with their reasons."""
    answers = asyncio.run(RunningStack.find().ask_all(SERVICES, "/dead-letters"))
    if json:
        print_json(answers)
        return
    letters = [(service, letter) for service, found in answers.items() for letter in found]
    if not letters:
        err.print("No dead letters.")
        return
    table = Table("service", "id", "from", "reason", "since", box=None)
    for service, letter in letters:
        place = f"{letter['topic']}/{letter['partition']}/{letter['offset']}"
        reason = f"{letter['reason_code']}: {letter['reason']}"
        table.add_row(service, str(letter["id"]), place, reason, letter["first_failed_at"])
    out.print(table)


@app.command(epilog="Example: onething dead-letters show approval 3")
def show(service: Service, letter_id: LetterId) -> None:
    """Show one dead letter whole, with its record in base64."""
    print_json(asyncio.run(_ask(service, "GET", f"/dead-letters/{letter_id}")))


@app.command(epilog="Example: onething dead-letters retry approval 3, or: onething dead-letters retry approval --all")
def retry(
    service: Service,
    letter_id: Annotated[str | None, typer.Argument(help="Which one.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every dead letter of the service, oldest first.")] = False,
) -> None:
    """Handle dead letters again, once their cause is mended."""
    if (letter_id is None) != every:
        raise StackProblem("which_letter", "Say which dead letter by its id, or --all.")
    retried, failures = asyncio.run(_retry(service, letter_id))
    for failure in failures:
        err.print(failure, style="red", markup=False)
    err.print(f"Retried {retried} of {retried + len(failures)} dead letters of {service}.")
    if failures:
        raise typer.Exit(1)


async def _retry(service: str, letter_id: str | None) -> tuple[int, list[str]]:
    if letter_id is not None:
        ids = [letter_id]
    else:
        ids = [str(letter["id"]) for letter in await _ask(service, "GET", "/dead-letters", params={"limit": 500})]
    failures: list[str] = []
    for each in ids:
        try:
            await _ask(service, "POST", f"/dead-letters/{each}/retry")
        except StackProblem as problem:
            failures.append(problem.sentence)
    return len(ids) - len(failures), failures


async def _ask(service: str, method: str, path: str, **request: Any) -> Any:
    if service not in SERVICES:
        raise StackProblem("no_such_service", f"{service!r} is not a service. Name one of: {', '.join(SERVICES)}.")
    return await RunningStack.find().ask(service, method, path, **request)
