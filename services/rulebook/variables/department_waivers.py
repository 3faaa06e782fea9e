"""What no place's figures were found for: water, gas, cable television, rent, work (社会救助暂行办法 37 to 46).

Each follows a recognised status. Its groups and sums are recorded as not found (not_found.yaml), so that the rule is
unknown, and the household is sent to ask the department; with a figure of a place it answers as any other.
"""
# OpenFisca finds a variable by its class name, and calls a formula with the entity in place of `self`.
# pyright: reportSelfClsParameterName=false, reportUnknownVariableType=false, reportUnknownMemberType=false

from typing import Any

from services.rulebook.figures import Figures
from services.rulebook.openfisca import DAY, Household, Variable
from services.rulebook.variables.recognised import recognised_as


class water_waiver_due(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "Recognised as what the place waives the water bill for (水费减免)"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        return _recognised(household, period, parameters, "water_waiver")


class water_waiver_fen_month(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "Water waived, fen a month"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        return household("water_waiver_due", period) * _a_month(household, period, parameters, "water_waiver")


class gas_waiver_due(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "Recognised as what the place waives the gas bill for (燃气费减免)"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        return _recognised(household, period, parameters, "gas_waiver")


class gas_waiver_fen_month(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "Gas waived, fen a month"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        return household("gas_waiver_due", period) * _a_month(household, period, parameters, "gas_waiver")


class television_waiver_due(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "Recognised as what the place waives cable television for (有线电视费减免)"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        return _recognised(household, period, parameters, "television_waiver")


class television_waiver_fen_month(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "Cable television waived, fen a month"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        return household("television_waiver_due", period) * _a_month(household, period, parameters, "television_waiver")


class housing_aid_due(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "Recognised as what the place helps with housing (住房救助)"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        return _recognised(household, period, parameters, "housing_aid")


class housing_aid_fen_month(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "Rent paid or waived, fen a month"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        return household("housing_aid_due", period) * _a_month(household, period, parameters, "housing_aid")


class employment_aid_due(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "Recognised as what the place helps into work (就业救助)"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        return _recognised(household, period, parameters, "employment_aid")


def _recognised(household: Any, period: Any, parameters: Any, benefit: str) -> Any:
    return recognised_as(household, period, Figures(household, parameters, period).get(f"{benefit}.groups"))


def _a_month(household: Any, period: Any, parameters: Any, benefit: str) -> Any:
    return Figures(household, parameters, period).get(f"{benefit}.amount_fen_month")
