"""Money for a festival (节日慰问金, 春节一次性生活补贴), once, a head."""
# OpenFisca finds a variable by its class name, and calls a formula with the entity in place of `self`.
# pyright: reportSelfClsParameterName=false, reportUnknownVariableType=false, reportUnknownMemberType=false

from typing import Any

from services.rulebook.figures import Figures
from services.rulebook.openfisca import DAY, Household, Variable
from services.rulebook.variables.recognised import recognised_as


class festival_payment_due(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "Recognised as one of the groups paid for the festival"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        return recognised_as(household, period, Figures(household, parameters, period).get("festival_payment.groups"))


class new_year_head_fen(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "Paid at New Year to each member, fen"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        figures = Figures(household, parameters, period)
        return figures.by_standard(household("urban_standard", period), "festival_payment.new_year")


class festival_payment_fen(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "Paid at New Year to the household, fen"

    def formula(household: Any, period: Any) -> Any:
        return (household("festival_payment_due", period) * household("new_year_head_fen", period)
                * household("members_count", period))
