"""What a household is recognised as: its own status, on which other benefits follow."""
# OpenFisca finds a variable by its class name, and calls a formula with the entity in place of `self`.
# pyright: reportSelfClsParameterName=false, reportUnknownVariableType=false, reportUnknownMemberType=false

from typing import Any

import numpy as np

from contracts.facts import FactName
from services.rulebook.facts_as_inputs import words_of
from services.rulebook.figures import Figures
from services.rulebook.openfisca import DAY, Household, Variable

RECOGNISED = words_of(FactName.RECOGNISED_AS)


def recognised_as(household: Any, period: Any, names: Any) -> Any:
    """Whether each household is recognised as one of these."""
    status = household("recognised_as", period)
    return np.isin(np.asarray(status), [RECOGNISED[name].index for name in names if name in RECOGNISED.__members__])


class electricity_due(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "Recognised as what the place waives the electricity bill for (电费减免)"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        # A place connected to its power company names the grants that open the waiver; elsewhere the nation's groups.
        figures = Figures(household, parameters, period)
        opened_by = figures.find("electricity_waiver.opened_by")
        groups = figures.get("electricity_waiver.groups") if opened_by is None else opened_by
        return recognised_as(household, period, groups)


class electricity_fen_month(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "Electricity paid for a household, fen a month"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        figures = Figures(household, parameters, period)
        return household("electricity_due", period) * figures.get("electricity_waiver.amount_fen_month")
