"""The one door to OpenFisca, which has no type stubs: its classes, our two entities, and exact sums."""
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

from typing import Any

import numpy as np
from openfisca_core import (
    entities,
    errors,
    indexed_enums,
    parameters,
    periods,
    simulations,
    taxbenefitsystems,
    variables,
)
from openfisca_core.variables import config

# Hazard: OpenFisca calculates in float32: 1,234,567.89 becomes 1,234,567.875. Set before any rule is loaded.
config.VALUE_TYPES[float]["dtype"] = np.float64

Variable: Any = variables.Variable
TaxBenefitSystem: Any = taxbenefitsystems.TaxBenefitSystem
Simulation: Any = simulations.Simulation
SimulationBuilder: Any = simulations.SimulationBuilder
ParameterNode: Any = parameters.ParameterNode
period: Any = periods.period
ParameterNotFoundError: Any = errors.ParameterNotFoundError
Enum: Any = indexed_enums.Enum

DAY: Any = periods.DateUnit.DAY
"""Everything is evaluated on a day, for figures change on days; sums are per month all the same."""

Person: Any = entities.build_entity(
    key="person", plural="persons", label="A living member of the household (人)", is_person=True
)
Household: Any = entities.build_entity(
    key="household", plural="households", label="Those who live and are assessed together (户)",
    roles=[{"key": "member", "plural": "members", "label": "Member"}],
)
