"""Heating support a year (取暖补贴): a dibao household one sum, tekun a sum a head, where a place pays it."""
# OpenFisca finds a variable by its class name, and calls a formula with the entity in place of `self`.
# pyright: reportSelfClsParameterName=false, reportUnknownVariableType=false, reportUnknownMemberType=false

from typing import Any

import numpy as np

from services.rulebook.figures import Figures, RuleUnknown
from services.rulebook.openfisca import DAY, Household, Variable
from services.rulebook.variables.recognised import recognised_as

OF_DIBAO, OF_TEKUN = "heating.dibao_household", "heating.tekun_person"


class heating_dibao_fen_year(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "Heating support of a dibao household, fen a year"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        of_household = _sum(household, period, parameters, OF_DIBAO, other=OF_TEKUN)
        return np.where(recognised_as(household, period, ["dibao"]), of_household, 0)


class heating_tekun_fen_year(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "Heating support of those in extreme hardship, each their own, fen a year"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        of_person = _sum(household, period, parameters, OF_TEKUN, other=OF_DIBAO)
        return np.where(recognised_as(household, period, ["tekun"]), of_person * household("members_count", period), 0)


class heating_aid_fen_year(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "Heating support of a household, fen a year"

    def formula(household: Any, period: Any) -> Any:
        return household("heating_dibao_fen_year", period) + household("heating_tekun_fen_year", period)


class heating_aid_due(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "Recognised as what the place pays heating support to"

    def formula(household: Any, period: Any) -> Any:
        return household("heating_aid_fen_year", period) > 0


def _sum(household: Any, period: Any, parameters: Any, path: str, *, other: str) -> Any:
    """The sum by standard; nothing where the place has one for the other group only.

    Raises RuleUnknown where it has neither: that a place pays no heating is nowhere said.
    """
    figures, urban = Figures(household, parameters, period), household("urban_standard", period)
    try:
        return figures.by_standard(urban, path)
    except RuleUnknown:
        figures.by_standard(urban, other)
        return np.zeros(household.count)
