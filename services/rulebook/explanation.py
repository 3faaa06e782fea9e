"""Says in words, lines and figures what a result rests on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from functools import cache
from math import floor
from typing import Any

from contracts.benefits import Standard
from contracts.events.decision import Reason
from contracts.facts import FactName
from services.rulebook.benefit_rules import BenefitRule, Condition, Line
from services.rulebook.data_files import RULEBOOK, read_folder
from services.rulebook.dated_parameters import ParameterUsed, find
from services.rulebook.evidence import KnownHousehold
from services.rulebook.models import AmountLine
from services.rulebook.simulation import Formulas, Result
from services.rulebook.units import yuan

STANDARD_NAMES = {Standard.URBAN: ("城市", "urban"), Standard.RURAL: ("农村", "rural")}

Used = dict[str, ParameterUsed]
"""Parameters by path."""


@cache
def messages() -> dict[str, dict[str, str]]:
    """What a household may read, by code (messages/)."""
    return read_folder(RULEBOOK / "messages")


def reason(code: str, *, rests_on: Iterable[ParameterUsed] = (), **figures: object) -> Reason:
    """A reason of the catalogue with its figures filled in. Raises KeyError for an unknown code or figure."""
    message = messages()[code]
    clause = ";".join(dict.fromkeys([message["clause"], *(used.cited for used in rests_on)]))
    return Reason(code=code, clause=clause, zh=message["zh"].format(**figures),
                  en=message["en"].format(**figures))


def lines(benefit: BenefitRule, household: KnownHousehold, result: Result) -> list[AmountLine]:
    """Each part of the amount apart; a part that a person is owed names the person."""
    return [AmountLine(code=line.code, amount_fen=int(amount), person_id=person_id)
            for line in benefit.lines for amount, person_id in _amounts(line, household, result)]


def _amounts(line: Line, household: KnownHousehold, result: Result) -> Iterator[tuple[int | float, Any]]:
    if line.variable in result.household:
        parts = [(result.household[line.variable], None)]
    else:
        parts = [(person[line.variable], member.person_id)
                 for member, person in zip(household.members, result.persons, strict=True)]
    yield from (part for part in parts if part[0])


def reasons(benefit: BenefitRule, household: KnownHousehold, result: Result, used: Used, *,
            granted: bool) -> list[Reason]:
    """Why it is granted (each condition met, each part of the sum) or refused (each condition not met)."""
    figures = _figures(household, result)
    told = [(condition, _holds(condition, result)) for condition in benefit.conditions]
    if not granted:
        return [reason(condition.not_met, rests_on=_cited(condition.cites, used), **figures)
                for condition, holds in told if not holds]
    met = [reason(condition.met, rests_on=_cited(condition.cites, used), **figures)
           for condition, _ in told if condition.met]
    for line in benefit.lines:
        amounts = [int(amount) for amount, _ in _amounts(line, household, result)]
        if amounts:
            met.append(reason(line.says, rests_on=_cited(line.cites, used), **figures | {
                "count": len(amounts), "amount": yuan(amounts[0]), "total": yuan(sum(amounts))}))
    return met


def _holds(condition: Condition, result: Result) -> bool:
    if condition.variable in result.household:
        return bool(result.household[condition.variable])
    return any(person[condition.variable] for person in result.persons)


def _figures(household: KnownHousehold, result: Result) -> dict[str, object]:
    """Every calculated value of the household by its variable's name, and every fact; sums of money in yuan."""
    figures: dict[str, object] = {name.value: value for name, value in household.values.items()}
    persons: dict[str, int | float] = {}
    for calculated in result.persons:
        for name, value in calculated.items():
            persons[name] = persons.get(name, 0) + value
    calculated_sums = {name: _written(name, value) for name, value in (persons | result.household).items()}
    facts = {name: _written(name, value) for name, value in figures.items() if isinstance(value, int | float)}
    zh, en = STANDARD_NAMES[Standard(str(household.values[FactName.STANDARD]))]
    return figures | facts | calculated_sums | {"standard_zh": zh, "standard_en": en}


def _written(name: str, value: int | float) -> object:
    return yuan(value if isinstance(value, int) else floor(round(value, 6) + 0.5)) if "_fen" in name else value


def _cited(cites: tuple[str, ...], used: Used) -> list[ParameterUsed]:
    return [parameter for path, parameter in used.items()
            if any(path == cited or path.startswith(f"{cited}.") for cited in cites)]


def parameters_used(benefit: BenefitRule, result: Result, formulas: Formulas, place: str, on: date) -> Used:
    """Every figure that this household's result rests on, with its source, by path.

    From the conditions and the parts of the sum down; what came out as nothing for everybody carried nothing, nor did
    a condition that is only spoken of where it fails.
    """
    carried = {name for name in formulas.depends_on if _is_something(name, result)}
    quiet = {condition.variable for condition in benefit.conditions if not condition.met and _holds(condition, result)}
    frontier = [condition.variable for condition in benefit.conditions]
    frontier += [line.variable for line in benefit.lines if line.variable in carried]
    reached: set[str] = set()
    paths: list[str] = []
    while frontier:
        name = frontier.pop(0)
        if name in reached | quiet:
            continue
        reached.add(name)
        if name not in formulas.depends_on:
            paths.append(name)
            continue
        frontier += [read for read in formulas.depends_on[name]
                     if read not in formulas.depends_on or read in carried or _is_truth(read)]
    found = ((path, find(path, place, on)) for path in sorted(paths) if "." in path)
    return {path: used for path, used in found if used is not None}


def _is_something(name: str, result: Result) -> bool:
    return bool(result.household.get(name)) or any(person.get(name) for person in result.persons)


def _is_truth(name: str) -> bool:
    """Whether it is a yes or no; a no matters as much."""
    return "_fen" not in name


def trace(household: KnownHousehold, result: Result, formulas: Formulas) -> dict[str, Any]:
    """Every calculated value, and which variables and parameters each formula read."""
    return {
        "household": result.household,
        "persons": {str(member.person_id): calculated
                    for member, calculated in zip(household.members, result.persons, strict=True)},
        "depends_on": formulas.depends_on,
    }
