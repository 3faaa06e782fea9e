"""Runs the rulebook's own cases (OpenFisca's test format), exactly: a sum has no margin."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest
import yaml

from services.rulebook.benefit_rules import benefits
from services.rulebook.data_files import RULEBOOK
from services.rulebook.figures import RuleUnknown
from services.rulebook.openfisca import SimulationBuilder
from services.rulebook.places import places
from services.rulebook.simulation import system_of

RULE_UNKNOWN = "rule_unknown"
"""Expected of a variable whose rule is not known in the place on the day."""
PLACE_OF_FOLDER = {place.parameters: place.code for place in places().values() if place.parameters}
CASES: list[Any] = [
    pytest.param(PLACE_OF_FOLDER[file.parent.name], case, id=f"{file.stem}: {case['name']}")
    for file in sorted((RULEBOOK / "tests").rglob("*.yaml")) if file.parent.name in PLACE_OF_FOLDER
    for case in yaml.safe_load(file.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("place", "case"), CASES)
def test_case(place: str, case: dict[str, Any]) -> None:
    builder = SimulationBuilder()
    builder.set_default_period(case["period"])
    simulation = builder.build_from_entities(system_of(place), _with_dates_as_text(case["input"]))
    for variable, expected in case["output"].items():
        if expected == RULE_UNKNOWN:
            with pytest.raises(RuleUnknown):
                simulation.calculate(variable, case["period"])
            continue
        calculated = simulation.calculate(variable, case["period"])
        assert np.array_equal(calculated, np.atleast_1d(expected)), f"{variable}: {calculated}"


def test_every_sum_and_every_condition_of_every_benefit_has_a_case() -> None:
    covered = {variable for case in CASES for variable in case.values[1]["output"]}
    asked = {variable for benefit in benefits().values() for variable in benefit.variables}
    assert asked - covered == set()


def _with_dates_as_text(given: dict[str, Any]) -> dict[str, Any]:
    """OpenFisca's builder takes dates as text, where YAML has read them as dates."""
    return {entities: {name: {fact: str(value) if isinstance(value, date) else value for fact, value in facts.items()}
                       for name, facts in members.items()}
            for entities, members in given.items()}
