"""A case on one page for a person: what happened, what is owed to whom, what waits until when."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.markup import escape
from rich.table import Table

from deploy.cli.terminal import out

LEGAL_ZONE = ZoneInfo("Asia/Shanghai")


def print_case(story: dict[str, Any]) -> None:
    """Print the page; a service that knows nothing of the case yet leaves its part out."""
    coordination = story.get("coordination", {})
    concluded = coordination.get("concluded_at")
    out.print(f"Case {story['case_id']}  " + (f"concluded {_when(concluded)}" if concluded else "open"))
    _print("Items 事项", ("benefit", "stage", "owner", "epoch", "accepted", "sum"), (
        (item["benefit"], item["stage"], item["owner"], item["epoch"], _when(item["accepted_at"]),
         _yuan(item["amount_fen"]))
        for item in coordination.get("items", ())
    ))
    _print("What happened 经过", ("legal time", "event", "says"), (
        (_when(event["legal_time"]), _name(event), _says(event["says"]))
        for event in story["events"]
    ))
    _print_decisions(story.get("approval", {}).get("items", ()))
    _print("Payments 发放", ("benefit", "month", "sum", "state", "instructed", "ended"), (
        (payment["benefit"], payment["period"][:7], _yuan(payment["amount_fen"]), payment["state"],
         _when(payment["instructed_at"]), _when(payment["ended_at"]))
        for payment in story.get("disbursement", {}).get("payments", ())
    ))
    _print("Waits 等待", ("on", "for", "since", "why", "next try"), _waits(story))
    _print("Referrals 转介", ("department", "benefit", "from", "answer by", "answer", "a month"), (
        (referral["department"], referral["benefit"], referral["from_month"][:7], _when(referral["answer_by"]),
         referral["answer"] or "waiting", _yuan(referral["amount_fen_month"]))
        for referral in coordination.get("referrals", ())
    ))
    _print("Deadlines 时限", ("what", "due", "state", "met", "waits on"), (
        (deadline["kind"], _when(deadline["due_at"]) + (" (provisional)" if deadline["provisional"] else ""),
         deadline["state"] + (" (its workflow is gone)" if deadline["workflow_gone_at"] else ""),
         _when(deadline["met_at"]), deadline["waits_on"])
        for deadline in coordination.get("deadlines", ())
    ))
    _print("Open tasks 待办", ("task", "place", "opens", "due"), (
        (task["kind"], task["jurisdiction"], task["opens_on"], _when(task["due_at"]))
        for task in coordination.get("tasks", ())
    ))


def _waits(story: dict[str, Any]) -> Iterable[tuple[Any, ...]]:
    """What waits on parties outside: questions to data sources, payments at the bank."""
    check = story.get("verification", {}).get("means_check") or {}
    for question in check.get("questions", ()):
        if question["waiting_since"] and question["state"] in ("due", "asking", "asked", "waiting"):
            yield (f"source:{question['source']}", f"person {question['person_id']}",
                   _when(question["waiting_since"]), question["reason"], _when(question["ask_again_at"]))
    for payment in story.get("disbursement", {}).get("payments", ()):
        if wait := payment["waits"]:
            yield (wait["party"], f"{payment['benefit']} {payment['period'][:7]}", _when(wait["since"]),
                   wait["reason"], _when(wait["next_try_at"]))


def _print_decisions(items: Iterable[dict[str, Any]]) -> None:
    for item in items:
        for decision in item["decisions"]:
            out.print(f"Decision 审核确认: {decision['benefit']} {decision['outcome']}, {decision['state']}"
                      f" {_yuan(decision['amount_fen'])}".rstrip(), style="bold")
            for reason in decision["explanation"].get("reasons", ()):
                out.print(f"  {reason['zh']}\n  {reason['en']}\n  ({reason['clause']})", markup=False)
            for figure in decision["explanation"].get("figures", ()):
                mark = "" if figure["verified"] else " unverified"
                out.print(f"  {figure['path']} = {figure['value']} {figure['unit']} from {figure['from_date']}{mark}",
                          style="dim", markup=False)


def _print(title: str, columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    table = Table(*columns, title=title, title_justify="left", title_style="bold", box=None, header_style="dim")
    for row in rows:
        table.add_row(*(escape("" if cell is None else str(cell)) for cell in row))
    if table.rows:
        out.print(table)


def _name(event: dict[str, Any]) -> str:
    name = event["type"].rsplit(".v", 1)[0]
    return f"{name} → {event['topic']}" if event["topic"].startswith("department.") else name


def _says(says: dict[str, Any]) -> str:
    words = [_yuan(value) if name.startswith("amount_fen") else str(value)
             for name, value in says.items() if value is not None]
    return " ".join(words)


def _when(moment: str | None) -> str:
    return f"{datetime.fromisoformat(moment).astimezone(LEGAL_ZONE):%Y-%m-%d %H:%M}" if moment else ""


def _yuan(fen: int | None) -> str:
    return f"{fen // 100}.{fen % 100:02d} yuan" if fen is not None else ""
