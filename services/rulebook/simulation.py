"""Evaluates many households of one place and day in one vectorised OpenFisca simulation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import numpy as np

from contracts.benefits import Standard
from contracts.facts import FactName
from services.rulebook.data_files import RULEBOOK
from services.rulebook.dated_parameters import ParameterValue, parameters_of
from services.rulebook.evidence import KnownHousehold
from services.rulebook.openfisca import (
    Household,
    ParameterNode,
    Person,
    SimulationBuilder,
    TaxBenefitSystem,
    period,
)

PERSON_INPUTS = (
    FactName.BORN_ON, FactName.DISABILITY_GRADE, FactName.SERIOUS_ILLNESS, FactName.IN_FULL_TIME_EDUCATION,
)
INCOME_INPUTS = (
    FactName.WAGE, FactName.PENSION, FactName.BUSINESS_INCOME, FactName.PROPERTY_INCOME,
    FactName.TRANSFER_INCOME,
)
"""Required of adults, not of children: a child's income that nobody told of is none."""

Calculated = dict[str, int]
"""Every calculated variable of one person or household; sums in fen, truths as 0 and 1."""


@dataclass(frozen=True)
class Result:
    """What came out for one household: its own variables, and those of its members in their order."""

    household: Calculated
    persons: list[Calculated]
    depends_on: dict[str, list[str]]
    """For every calculated variable: the variables and parameters that its formula read."""


@cache
def system_of(place: str) -> Any:
    """The rules with the parameters of a `rule_place`."""
    system = TaxBenefitSystem([Person, Household])
    system.parameters = ParameterNode("", data=_parameter_tree(place))
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


def simulate(place: str, on: date, households: Sequence[KnownHousehold]) -> list[Result]:
    """Calculate `dibao_fen_month` and all it rests on; nothing may be missing, no household be empty."""
    simulation = _simulation(place, on, households)
    simulation.trace = True
    simulation.calculate("dibao_fen_month", on.isoformat())
    columns, depends_on = _read_trace(simulation)
    per_person, per_household = _rows(simulation, columns, "person"), _rows(simulation, columns, "household")
    return [Result(household, list(persons), depends_on)
            for household, persons in zip(per_household, _split(per_person, households), strict=True)]


def _simulation(place: str, on: date, households: Sequence[KnownHousehold]) -> Any:
    builder = SimulationBuilder()
    system = system_of(place)
    members = [member for household in households for member in household.members]
    builder.create_entities(system)
    builder.declare_person_entity("person", range(len(members)))
    group = builder.declare_entity("household", range(len(households)))
    sizes = [len(household.members) for household in households]
    household_of = np.repeat(np.arange(len(households)), sizes)
    builder.join_with_persons(group, household_of, roles=np.zeros(len(members), dtype=int))
    simulation = builder.build(system)
    day = period(on.isoformat())
    inputs: dict[str, list[Any]] = {
        name.value: [member.values[name] for member in members] for name in PERSON_INPUTS
    } | {
        name.value: [member.values.get(name, 0) for member in members] for name in INCOME_INPUTS
    }
    inputs["urban_standard"] = [known.values[FactName.STANDARD] == Standard.URBAN for known in households]
    for name in (FactName.ASSETS_WITHIN_LOCAL_LIMIT, FactName.SUPPORT_INCOME):
        inputs[name.value] = [household.values[name] for household in households]
    for name, values in inputs.items():
        dtype: Any = "datetime64[D]" if name == FactName.BORN_ON else None
        simulation.set_input(name, day, np.array(values, dtype=dtype))
    return simulation


def _read_trace(simulation: Any) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """Values and dependencies of every variable with a formula. What is read again carries neither."""
    columns: dict[str, Any] = {}
    depends_on: dict[str, list[str]] = {}
    for node in simulation.tracer.browse_trace():
        variable = simulation.tax_benefit_system.get_variable(node.name)
        if node.name in columns or variable.is_input_variable():
            continue
        columns[node.name] = node.value
        read = [child.name for child in node.children] + [parameter.name for parameter in node.parameters]
        depends_on[node.name] = list(dict.fromkeys(read))
    return columns, depends_on


def _rows(simulation: Any, columns: dict[str, Any], entity: str) -> list[Calculated]:
    of_entity = {name: _integers(name, values) for name, values in columns.items()
                 if simulation.tax_benefit_system.get_variable(name).entity.key == entity}
    return [dict(zip(of_entity, row, strict=True)) for row in zip(*of_entity.values(), strict=True)]


def _integers(name: str, values: Any) -> list[int]:
    """Hazard: sums are calculated in floating point; anything but whole fen is a fault in a rule."""
    whole = values.astype(np.int64)
    if not np.array_equal(whole, values):
        raise ArithmeticError(f"Variable {name}: a result is not a whole number. Mend its formula.")
    return whole.tolist()


def _split(rows: list[Calculated], households: Sequence[KnownHousehold]) -> Iterator[list[Calculated]]:
    start = 0
    for household in households:
        end = start + len(household.members)
        yield rows[start:end]
        start = end
