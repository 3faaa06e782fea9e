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
AT_ONCE = 500
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
    err.print("Those that wait behind another one of their case follow when that one is retried or discarded.")


@app.command(epilog="Example: onething dead-letters show approval 3")
def show(service: Service, letter_id: LetterId) -> None:
    """Show one dead letter whole, with its record in base64. It may name a person: that you opened it is logged."""
    print_json(asyncio.run(_ask(service, "GET", f"/dead-letters/{letter_id}")))


@app.command(epilog="Example: onething dead-letters retry approval 3, or: onething dead-letters retry approval --all")
def retry(
    service: Service,
    letter_id: Annotated[str | None, typer.Argument(help="Which one.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every dead letter of the service, oldest first.")] = False,
) -> None:
    """Handle dead letters again, once their cause is mended, and what waits behind each of them."""
    if (letter_id is None) != every:
        raise StackProblem("which_letter", "Say which dead letter by its id, or --all.")
    handled, failures = asyncio.run(_retry(service, letter_id) if letter_id else _retry_every(service))
    _tell(f"Handled {handled} dead letters of {service}.", failures)


@app.command(epilog="Example: onething dead-letters discard approval 3")
def discard(service: Service, letter_id: LetterId) -> None:
    """Give a dead letter up for good, such as one that is no event at all; what waits behind it is handled."""
    answer = asyncio.run(_ask(service, "DELETE", f"/dead-letters/{letter_id}"))
    _tell(f"Discarded 1 dead letter of {service}; handled {len(answer['handled'])} behind it.", _failures(answer))


@app.command(epilog="Example: onething dead-letters resume approval --park-at-most 1000")
def resume(
    service: Service,
    park_at_most: Annotated[int, typer.Option(help="Stop again once so many more records were parked.")] = 100,
) -> None:
    """Let a service consume again that had stopped because too many records could not be handled."""
    asyncio.run(_ask(service, "POST", "/dead-letters/resume", json={"park_at_most": park_at_most}))
    err.print(f"{service} consumes again; it stops once {park_at_most} more records were parked.")


def _tell(done: str, failures: list[str]) -> None:
    for failure in failures:
        err.print(failure, style="red", markup=False)
    err.print(done)
    if failures:
        raise typer.Exit(1)


async def _retry(service: str, letter_id: str) -> tuple[int, list[str]]:
    answer = await _ask(service, "POST", f"/dead-letters/{letter_id}/retry")
    return len(answer["handled"]), _failures(answer)


async def _retry_every(service: str) -> tuple[int, list[str]]:
    """Oldest first; those that wait behind another one follow with it."""
    handled, failures, tried = 0, list[str](), set[str]()
    while letters := await _untried(service, tried):
        for letter in letters:
            tried.add(letter["id"])
            try:
                count, failed = await _retry(service, letter["id"])
            except StackProblem as problem:
                if problem.code == "not_found":
                    continue  # it followed another one, or somebody else retried it
                count, failed = 0, [problem.sentence]
            handled, failures = handled + count, failures + failed
    return handled, failures


async def _untried(service: str, tried: set[str]) -> list[Any]:
    letters = await _ask(service, "GET", "/dead-letters", params={"limit": AT_ONCE})
    return [letter for letter in letters if letter["id"] not in tried and letter["reason_code"] != "waits_behind"]


def _failures(answer: Any) -> list[str]:
    failed = answer["failed"]
    return [f"Dead letter {failed['id']}, which had waited, failed: {failed['reason']}"] if failed else []


async def _ask(service: str, method: str, path: str, **request: Any) -> Any:
    if service not in SERVICES:
        raise StackProblem("no_such_service", f"{service!r} is not a service. Name one of: {', '.join(SERVICES)}.")
    return await RunningStack.find().ask(service, method, path, **request)
