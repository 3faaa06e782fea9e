"""`onething rules`: the rulebook for the people who keep it."""

from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from deploy.cli.clock import LEGAL_ZONE
from deploy.cli.menu_text import GROUP_WORDS, told
from deploy.cli.terminal import err, out, print_json
from deploy.local.problem import StackProblem
from services import rulebook
from services.rulebook import Change, Effect, InForce, NotFound
from services.rulebook.units import written, yuan

app = typer.Typer(no_args_is_help=True, help="What anyone is owed: the figures by place and date, with their sources.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
Place = Annotated[str, typer.Argument(help="Code or Chinese name of an area: 500116, 江津区, cn for the nation.")]
Under = Annotated[str | None, typer.Option("--under", help="Only what lies under this path: dibao, tekun.standard.")]
UNVERIFIED = "unverified"


@app.command(epilog="Example: onething rules show 江津区 --on 2025-01-06 --under dibao")
def show(
    place: Place,
    on: Annotated[str | None, typer.Option("--on", help="Day, YYYY-MM-DD; today if not given.")] = None,
    under: Under = None,
    json: AsJson = False,
) -> None:
    """Show every figure that holds in a place on a day, since when, by which document, and what is not known."""
    code, day = _code(place), datetime.now(LEGAL_ZONE).date() if on is None else _day(on)
    rows = [row for row in rulebook.in_force(code, day) if _is_under(row.used.path, under)]
    unknown = [only for row in rulebook.still_unknown(code, day) if (only := _only_under(row, under)).paths]
    if json:
        print_json({"place": code, "on": day, "parameters": [_public(row) for row in rows],
                    "not_found": [row.model_dump(mode="json") for row in unknown]})
        return
    for benefit, of_benefit in groupby(rows, key=lambda row: row.used.path.partition(".")[0]):
        out.print(_table(benefit, list(of_benefit)))
    if unknown:
        out.print(_unknown_table(unknown))
    if not rows:
        err.print(f"{_name(code)}: nothing is known{f' under {under}' if under else ''} on {day}.", markup=False)
        return
    count = sum(not row.used.verified for row in rows)
    err.print(f"{_name(code)} on {day}: {len(rows)} figures, {count} of them {UNVERIFIED}.", markup=False)


@app.command(epilog="Example: onething rules check")
def check() -> None:
    """Check the rulebook's own data: units, dates, references, places; exit 1 if anything is wrong."""
    faults = rulebook.check_rulebook()
    for fault in faults:
        err.print(fault, markup=False, soft_wrap=True)
    if faults:
        err.print(f"{len(faults)} faults.")
        raise typer.Exit(1)
    err.print("The rulebook has no fault.")


@app.command(epilog="Example: onething rules explain services/rulebook/tests/menus/C8.yaml --on 2024-08-20")
def explain(
    file: Annotated[Path, typer.Argument(help="A household as YAML: place, day, household, members; see the rulebook's "
                                              "README.", exists=True, dir_okay=False)],
    on: Annotated[str | None, typer.Option("--on", help="Day, YYYY-MM-DD; that of the file if not given.")] = None,
    json: AsJson = False,
) -> None:
    """Tell all that a household could be owed, and why: its menu, and the package that gives it most."""
    try:
        menu = rulebook.menu(rulebook.read_household(file).facts(None if on is None else _day(on)))
    except ValueError as error:
        raise StackProblem("bad_household", str(error)) from None
    if json:
        print_json(menu.model_dump(mode="json"))
        return
    for line in told(menu):
        out.print(line, markup=False, highlight=False, soft_wrap=True)
    err.print(f"{len(menu.package.benefits)} benefits together, {yuan(menu.package.year_fen)} yuan a year.")


@app.command(epilog="Example: onething rules diff --from 2024-08-31 --to 2024-09-01 重庆市")
def diff(
    first: Annotated[str, typer.Option("--from", help="Day before the first change, YYYY-MM-DD.")],
    last: Annotated[str, typer.Option("--to", help="Last day, YYYY-MM-DD.")],
    place: Annotated[str | None, typer.Argument(help="As it holds in this area; every area's own if none.")] = None,
    sample: Annotated[list[Path] | None, typer.Option(
        "--sample", help="A household to ask about, as for explain; may be given again. A few made-up ones if none.",
        exists=True, dir_okay=False)] = None,
    json: AsJson = False,
) -> None:
    """Show which figures change after one day and up to another; of an area also for whom, in a sample."""
    try:
        found = rulebook.changes(_day(first), _day(last), None if place is None else _code(place))
        households = [rulebook.read_household(file) for file in sample or ()] or list(rulebook.sample())
        changed = [] if place is None else rulebook.effects(households, _code(place), _day(first), _day(last))
    except ValueError as error:
        raise StackProblem("wrong_days_or_household", str(error)) from None
    if json:
        print_json({"figures": [change.model_dump(mode="json") for change in found],
                    "households": [effect.model_dump(mode="json") for effect in changed]})
        return
    if found:
        out.print(_changes_table(found))
    if changed:
        out.print(_effects_table(changed))
    err.print(f"{len(found)} figures change after {first} and up to {last}.")
    if place is not None:
        touched = len({effect.household for effect in changed})
        err.print(f"Of {len(households)} households of the sample {touched} are owed something else.")


def _code(text: str) -> str:
    try:
        return rulebook.find_place(text).code
    except ValueError as error:
        raise StackProblem("unknown_place", str(error)) from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise StackProblem("not_a_day", f"{text!r} is no day. Write it like 2025-01-06.") from None


def _is_under(path: str, under: str | None) -> bool:
    return under is None or path == under or path.startswith(f"{under}.")


def _only_under(row: NotFound, under: str | None) -> NotFound:
    return row.model_copy(update={"paths": tuple(path for path in row.paths if _is_under(path, under))})


def _name(code: str) -> str:
    return f"{rulebook.place_name(code)} ({code})"


def _public(row: InForce) -> dict[str, Any]:
    return {**row.used.model_dump(mode="json"), "place_name": rulebook.place_name(row.used.place),
            "inherited": row.inherited, "description": row.description, "last_checked_on": row.last_checked_on}


def _table(benefit: str, rows: list[InForce]) -> Table:
    table = Table("path", "value", "since", "of", "source", title=benefit, title_justify="left")
    for row in rows:
        used = row.used
        table.add_row(used.path.partition(".")[2], written(used.value, used.unit), str(used.from_date),
                      rulebook.place_name(used.place) if row.inherited else "itself", _plain(_source(used)))
    return table


def _unknown_table(rows: list[NotFound]) -> Table:
    table = Table("path", "since", "of", "asked instead", "note", title="not found: unset, never guessed",
                  title_justify="left")
    for row in rows:
        table.add_row("\n".join(row.paths), str(row.from_date), rulebook.place_name(row.place),
                      row.asked_instead or "nothing: it waits", _plain(row.note))
    return table


def _changes_table(found: list[Change]) -> Table:
    table = Table("day", "place", "path", "before", "after", "source of the latter")
    for change in found:
        table.add_row(str(change.on), rulebook.place_name(change.place), change.path, _value(change.before),
                      _value(change.after), _plain(_source(change.after)))
    return table


def _effects_table(changed: list[Effect]) -> Table:
    table = Table("household", "benefit", "before", "after")
    for effect in changed:
        table.add_row(_plain(effect.household), effect.benefit, _owed(effect.before, effect.amount_fen_before),
                      _owed(effect.after, effect.amount_fen_after))
    return table


def _owed(group: str, amount_fen: int | None) -> str:
    return GROUP_WORDS[group] if amount_fen is None else f"{yuan(amount_fen)} yuan"


def _value(used: rulebook.ParameterUsed | None) -> str:
    return "unknown" if used is None else written(used.value, used.unit)


def _source(used: rulebook.ParameterUsed | None) -> str:
    if used is None:
        return ""
    remarks = ": ".join(filter(None, ("" if used.verified else UNVERIFIED, used.note)))
    return f"{used.reference} [{remarks}]" if remarks else used.reference


def _plain(text: str) -> str:
    """Hazard: rich reads square brackets as markup."""
    return text.replace("[", r"\[")
