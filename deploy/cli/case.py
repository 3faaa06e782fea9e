"""`onething case show`: the whole story of a case over all services."""

import asyncio
from typing import Annotated, Any
from uuid import UUID

import typer

from deploy.cli.case_page import print_case
from deploy.cli.running_stack import RunningStack
from deploy.cli.terminal import print_json
from deploy.local.problem import StackProblem
from deploy.local.secret_store import SERVICES
from deploy.local.topic_reader import TopicRecord, read_topics

app = typer.Typer(no_args_is_help=True, help="Look at a case.")


@app.callback()
def group() -> None:
    """Look at a case."""


@app.command(epilog="Example: onething case show 018f2c9e-7a51-7c3e-9d0b-5f2a6b1c8e44")
def show(
    case_id: Annotated[UUID, typer.Argument(help="The case's id, as the demo prints it.", metavar="ID")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout: all that every service tells.")] = False,
) -> None:
    """Show a case's events, decisions, payments, referrals and deadlines."""
    story = asyncio.run(_gather(RunningStack.find(), case_id))
    if json:
        print_json(story)
    else:
        print_case(story)


async def _gather(stack: RunningStack, case_id: UUID) -> dict[str, Any]:
    answers = await stack.ask_all(SERVICES, f"/cases/{case_id}")
    if "intake" not in answers:  # every case begins there
        raise StackProblem("no_such_case", f"There is no case {case_id}. Ids are printed by the demo.")
    records = await read_topics(stack.world.address("kafka"), key=str(case_id))
    events = sorted((_told(record) for record in records), key=lambda event: (event["legal_time"], event["id"]))
    return {"case_id": str(case_id), "events": events, **answers}


def _told(record: TopicRecord) -> dict[str, Any]:
    """An event as the command tells it. Its content is shown only where it says what came: sums and outcomes."""
    headers = record.headers
    shown = ("benefit", "outcome", "answer", "kind", "period", "amount_fen", "amount_fen_month", "confirmed_by",
             "reason_code", "missing", "waits_on")
    return {
        "legal_time": headers.get("ce_time", ""),
        "type": headers.get("ce_type", ""),
        "item_id": headers.get("ce_itemid", ""),
        "owner": headers.get("ce_owner", ""),
        "epoch": headers.get("ce_epoch", ""),
        "id": headers.get("ce_id", ""),
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "says": {name: value for name, value in record.data.items() if name in shown},
    }
