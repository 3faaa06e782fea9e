"""Screens a whole register with the rules that decide single cases: who seems missed, who seems wrongly paid.

It finds whom to look at and decides nothing. What is unknown makes nobody missed and nobody wrongly paid.
"""
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from contracts.benefits import Benefit, Standard
from contracts.facts import FactName
from services.rulebook.assess import is_paid_by_us
from services.rulebook.benefit_rules import BenefitRule, benefits
from services.rulebook.dated_parameters import ParameterUnknown
from services.rulebook.evidence import asked_of_persons, fact_rules, proofs_of
from services.rulebook.figures import RuleUnknown
from services.rulebook.outcome import NEVER_BOUNDED, End, end_of
from services.rulebook.places import rule_place
from services.rulebook.register import Array, Register, as_array
from services.rulebook.simulation import formulas_of, new_simulation
from services.rulebook.terms import payment_rule

HOUSEHOLDS_AT_ONCE = 50_000
"""Few enough for the arrays of one pass to stay small beside the register itself."""
REFUSED, GRANTED, UNKNOWN = 0, 1, 2


@dataclass(frozen=True)
class Screened:
    """One benefit over the whole register, household by household."""

    outcome: Array
    """REFUSED, GRANTED or UNKNOWN."""
    amount_fen: Array
    """Of those granted; 0 for the others."""
    missed: Array
    """Positions of households that would be granted it and do not receive it (漏保)."""
    wrongly_paid: Array
    """Positions of households that receive it and would be refused it (错保)."""


@dataclass(frozen=True)
class Asked:
    """A benefit whose rules are known, and what its formulas read."""

    rule: BenefitRule
    reads: frozenset[FactName]
    proofs: frozenset[FactName]

    @property
    def uncertain(self) -> frozenset[FactName]:
        """Facts without which nothing can be told."""
        if not self.rule.bounded:
            return self.reads | self.proofs
        unbounded = {name for name in self.reads if not fact_rules()[name].bounded}
        return frozenset(unbounded | (self.proofs & NEVER_BOUNDED))


def screen(place: str, on: date, register: Register, codes: Sequence[Benefit]) -> dict[Benefit, Screened]:
    """What each household of a place seems to be owed on a day; UNKNOWN where a rule or a fact is not known.

    Raises UnknownPlace; KeyError naming a fact that formulas read and the register lacks.
    """
    households_count = len(register.sizes)
    outcomes = {code: np.full(households_count, UNKNOWN, dtype=np.int8) for code in codes}
    amounts = {code: np.zeros(households_count) for code in codes}
    for chosen, asked in _groups(place, on, register, codes):
        names = {FactName.STANDARD}.union(*(one.reads | one.proofs for one in asked))
        those = register if chosen.all() else register.of(chosen, names)
        for code, (outcome, amount) in _screened(rule_place(place), on, those, asked).items():
            outcomes[code][chosen], amounts[code][chosen] = outcome, amount
    return {code: _with_receipts(register, code, outcomes[code], amounts[code]) for code in codes}


def _groups(place: str, on: date, register: Register, codes: Sequence[Benefit]) -> Iterator[tuple[Array, list[Asked]]]:
    """Households for which the same benefits can be told by the same facts; mostly those of both standards together."""
    known = ~register.any_unknown({FactName.STANDARD})
    asked = {number: [one for code in codes if (one := _asked(place, on, standard, code)) is not None]
             for number, standard in enumerate(Standard)}
    if asked[0] == asked[1]:
        groups = [(known, asked[0])]
    else:
        groups = [(known & (register.facts[FactName.STANDARD] == number), of_one) for number, of_one in asked.items()]
    yield from ((chosen, of_one) for chosen, of_one in groups if of_one and chosen.any())


def _asked(place: str, on: date, standard: Standard, code: Benefit) -> Asked | None:
    """None where a rule is not known, or how a grant would be paid."""
    rule = benefits()[code]
    try:
        reads = formulas_of(rule_place(place), on, standard, rule.variables).reads
        if is_paid_by_us(rule):
            payment_rule(code, place, on)
    except (RuleUnknown, ParameterUnknown):
        return None
    return Asked(rule, frozenset(asked_of_persons(reads)) | reads.household, proofs_of(code, place, on))


def _screened(place: str, on: date, register: Register, asked: Sequence[Asked]) -> dict[Benefit, tuple[Array, Array]]:
    found: dict[Benefit, list[tuple[Array, Array]]] = {one.rule.code: [] for one in asked}
    for part in register.parts(HOUSEHOLDS_AT_ONCE):
        passes = _Passes(place, on, part, asked)
        for one in asked:
            found[one.rule.code].append(passes.told(one))
    return {code: (np.concatenate([outcome for outcome, _ in columns]), np.concatenate([sums for _, sums in columns]))
            for code, columns in found.items()}


def _with_receipts(register: Register, code: Benefit, outcome: Array, amount_fen: Array) -> Screened:
    receives = register.receives.get(code, np.zeros(len(outcome), dtype=bool))
    return Screened(outcome, amount_fen, missed=np.flatnonzero((outcome == GRANTED) & ~receives),
                    wrongly_paid=np.flatnonzero((outcome == REFUSED) & receives))


class _Passes:
    """A part of the register calculated with every unknown fact at its better end, and again at its worse."""

    def __init__(self, place: str, on: date, part: Register, asked: Sequence[Asked]) -> None:
        self._part, self._day = part, on.isoformat()
        names = {FactName.STANDARD, *(name for one in asked for name in one.reads if name != FactName.ALIVE)}
        self._better = new_simulation(place, part.sizes, _at_end(part, names, "best"), on)
        known = not any(part.unknown[name].any() for name in names & part.unknown.keys())
        self._worse = self._better if known else new_simulation(place, part.sizes, _at_end(part, names, "worst"), on)

    def told(self, one: Asked) -> tuple[Array, Array]:
        """Outcome and amount of every household; as outcome.tell tells one."""
        rule, part = one.rule, self._part
        outcome = np.where(self._granted(self._better, rule), UNKNOWN, REFUSED)
        same = self._granted(self._worse, rule) & self._same(rule) & ~part.any_unknown(one.proofs)
        outcome = np.where((outcome == UNKNOWN) & same, GRANTED, outcome).astype(np.int8)
        outcome[part.any_unknown(one.uncertain)] = UNKNOWN
        amount = self._of_household(self._better, rule.amount) if rule.amount else np.zeros(len(outcome))
        return outcome, np.where(outcome == GRANTED, amount, 0)

    def _granted(self, simulation: Any, rule: BenefitRule) -> Array:
        return self._of_household(simulation, rule.granted) > 0

    def _same(self, rule: BenefitRule) -> Array:
        same = np.ones(len(self._part.sizes), dtype=bool)
        if self._worse is self._better:
            return same
        for name in rule.given:
            differs = self._calculated(self._better, name) != self._calculated(self._worse, name)
            same &= ~(differs if len(differs) == len(same) else self._part.any_of(differs))
        return same

    def _of_household(self, simulation: Any, name: str) -> Array:
        values = self._calculated(simulation, name)
        of_person = simulation.tax_benefit_system.get_variable(name).entity.is_person
        return self._part.sum_of(values) if of_person else values

    def _calculated(self, simulation: Any, name: str) -> Array:
        return simulation.calculate(name, self._day)


def _at_end(part: Register, names: Iterable[FactName], end: End) -> dict[FactName, Array]:
    return {name: np.where(part.unknown[name], _end_as_array(name, end), part.facts[name]) if name in part.unknown
            else part.facts[name] for name in names}


def _end_as_array(name: FactName, end: End) -> Array:
    return as_array(name, [end_of(name, end)])[0]
