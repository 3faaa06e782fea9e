"""Evaluates many households of one place, day and standard in one vectorised OpenFisca simulation."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from itertools import accumulate
from typing import Any

import numpy as np

from contracts.facts import HOUSEHOLD_FACTS, FactName, FactValue
from services.rulebook.data_files import RULEBOOK
from services.rulebook.dated_parameters import ParameterValue, parameters_of
from services.rulebook.evidence import KnownHousehold, Reads, fact_rules
from services.rulebook.facts_as_inputs import inputs
from services.rulebook.figures import RuleUnknown
from services.rulebook.not_found import rows_around
from services.rulebook.openfisca import (
    Household,
    ParameterNode,
    Person,
    Simulation,
    TaxBenefitSystem,
    period,
)

Calculated = dict[str, int | float]
"""Every calculated variable of one person or household; sums in fen, truths as 0 and 1."""


@dataclass(frozen=True)
class Formulas:
    """What the formulas of some variables rest on, in a place on a day for one standard."""

    variables: tuple[str, ...]
    reads: Reads
    depends_on: dict[str, list[str]]
    """For every calculated variable: the variables and parameters that its formula read."""
    about_persons: tuple[str, ...]
    about_households: tuple[str, ...]
    """Which of the calculated variables are about a person, and which about the household."""


@dataclass(frozen=True)
class Result:
    """What came out for one household: its own variables, and those of its members in their order."""

    household: Calculated
    persons: list[Calculated]


@cache
def system_of(place: str) -> Any:
    """The rules with the parameters of a `rule_place`."""
    system = TaxBenefitSystem([Person, Household])
    system.parameters = ParameterNode("", data=_parameter_tree(place))
    system.not_found = rows_around(place)
    for variable in inputs():
        system.add_variable(variable)
    system.add_variables_from_directory(str(RULEBOOK / "variables"))
    return system


def _parameter_tree(place: str) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path, parameter in parameters_of(place).items():
        *folders, name = path.split(".")
        node = tree
        for folder in folders:
            node = node.setdefault(folder, {})
        node[name] = {"values": {
            day.isoformat(): {"value": None if used is None else _plain(used.value)}
            for day, used in zip(parameter.from_dates, parameter.values, strict=True)
        }}
    return tree


def _plain(value: ParameterValue) -> object:
    return list(value) if isinstance(value, tuple) else value


def formulas_of(place: str, on: date, standard: str, variables: tuple[str, ...]) -> Formulas:
    """What these variables rest on, found by calculating them once. Give a `rule_place`. Raises RuleUnknown."""
    found = _formulas_or_unknown(place, on, standard, variables)
    if isinstance(found, str):
        raise RuleUnknown(found)
    return found


@lru_cache(maxsize=10_000)
def _formulas_or_unknown(place: str, on: date, standard: str, variables: tuple[str, ...]) -> Formulas | str:
    """As formulas_of; the path of the figure that is not known instead of raising, since that is kept as well."""
    try:
        return _formulas(place, on, standard, variables)
    except RuleUnknown as error:
        return error.path


def _formulas(place: str, on: date, standard: str, variables: tuple[str, ...]) -> Formulas:
    """Hazard: this is the same for every household only because no formula branches on a household's facts, but for
    its standard; they calculate with arrays.
    """
    simulation = new_simulation(place, [1], {FactName.STANDARD: np.array([standard])}, on)
    simulation.trace = True
    for name in variables:
        simulation.calculate(name, on.isoformat())
    system = simulation.tax_benefit_system
    depends_on: dict[str, list[str]] = {}
    read: set[FactName] = set()
    for node in simulation.tracer.browse_trace():
        if node.name in list(FactName):
            read.add(FactName(node.name))
        elif node.name not in depends_on or node.children:  # what is calculated again carries no children
            names = [child.name for child in node.children] + [parameter.name for parameter in node.parameters]
            depends_on[node.name] = list(dict.fromkeys([*depends_on.get(node.name, []), *names]))
    return Formulas(
        variables, Reads(frozenset(read - HOUSEHOLD_FACTS), frozenset(read & HOUSEHOLD_FACTS)), depends_on,
        tuple(name for name in depends_on if system.get_variable(name).entity.is_person),
        tuple(name for name in depends_on if not system.get_variable(name).entity.is_person),
    )


def new_simulation(place: str, sizes: Sequence[int], values: dict[FactName, Any], on: date) -> Any:
    """A simulation of households of these sizes; `values` has an array for each fact that is set."""
    system = system_of(place)
    populations = system.instantiate_entities()
    persons, households = populations["person"], populations["household"]
    # Not by SimulationBuilder: it makes a list of Python numbers of every person three times over.
    households.count, households.ids = len(sizes), np.arange(len(sizes))
    households.members_entity_id = np.repeat(households.ids, sizes)
    persons.count = len(households.members_entity_id)
    persons.ids = np.arange(persons.count)
    simulation = Simulation(system, populations)
    day = period(on.isoformat())
    for name, array in values.items():
        simulation.set_input(name.value, day, array)
    return simulation


class Calculation:
    """Calculated values of many households of one place, day and standard, each read when it is asked for.

    Give a `rule_place`, and formulas of the households' standard; what these read must be known of everybody.
    """

    def __init__(self, place: str, on: date, households: Sequence[KnownHousehold],
                 formulas: Collection[Formulas]) -> None:
        members = [member for household in households for member in household.members]
        values: dict[FactName, Any] = {}
        for name in {name for one in formulas for name in one.reads.person}:
            values[name] = _array(name, [member.values[name] for member in members])
        for name in {FactName.STANDARD, *(name for one in formulas for name in one.reads.household)}:
            values[name] = _array(name, [household.values[name] for household in households])
        sizes = [len(household.members) for household in households]
        self._simulation = new_simulation(place, sizes, values, on)
        self._day = period(on.isoformat())
        for name in dict.fromkeys(name for one in formulas for name in one.variables):
            self._simulation.calculate(name, self._day)
        self._persons = [range(end - size, end) for size, end in zip(sizes, accumulate(sizes), strict=True)]
        self._columns: dict[str, list[int | float]] = {}

    def result(self, row: int, formulas: Formulas) -> Result:
        """What came out for one household, as far as these formulas go."""
        household = {name: self._column(name)[row] for name in formulas.about_households}
        persons = [{name: self._column(name)[person] for name in formulas.about_persons}
                   for person in self._persons[row]]
        return Result(household, persons)

    def _column(self, name: str) -> list[int | float]:
        column = self._columns.get(name)
        if column is None:
            column = self._columns[name] = _numbers(self._simulation.get_holder(name).get_array(self._day))
        return column


def _array(name: FactName, values: list[FactValue]) -> Any:
    return np.array(values, dtype="datetime64[D]" if fact_rules()[name].type == "date" else None)


def _numbers(values: Any) -> list[int | float]:
    """Whole numbers as such; what is a fraction on the way to a sum stays one."""
    if values.dtype.kind == "f":
        return [int(value) if value.is_integer() else value for value in values.tolist()]
    return values.astype(np.int64).tolist()
