"""Whether a household's assets are within the place's limits: savings where their limit was read, else by a finding.

社会救助暂行办法 第九条 leaves the limits to each place.
"""
# OpenFisca finds a variable by its class name, and calls a formula with the entity in place of `self`.
# pyright: reportSelfClsParameterName=false, reportUnknownVariableType=false, reportUnknownMemberType=false

from typing import Any

import numpy as np

from services.rulebook.figures import Figures
from services.rulebook.openfisca import DAY, Household, Variable

DIBAO_SAVINGS = "dibao.assets.savings_months_of_standard_max"
MARGIN_SAVINGS = "dibao_margin.assets.savings_months_of_standard_max"


class savings_fen(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "Savings of all members, fen"

    def formula(household: Any, period: Any) -> Any:
        return household.sum(household.members("bank_balance_fen", period))


class assets_found_allowed(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "Assets are within the local limit by an officer's signed finding: homes, shops, vehicles and the like"

    def formula(household: Any, period: Any) -> Any:
        return household("assets_within_local_limit", period)


class dibao_savings_limit_fen(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "The most savings a household on dibao may have, fen; only where the place's limit was read"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        return _savings_limit_fen(household, period, parameters, DIBAO_SAVINGS)


class dibao_savings_allowed(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "Savings are within that limit; where it was not read the officer's finding stands for it"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        if Figures(household, parameters, period).find_or_finding(DIBAO_SAVINGS) is None:
            return np.ones(household.count, dtype=bool)
        return household("savings_fen", period) <= household("dibao_savings_limit_fen", period)


class dibao_assets_allowed(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "Savings and all else of assets are within the limits of dibao"

    def formula(household: Any, period: Any) -> Any:
        return household("assets_found_allowed", period) & household("dibao_savings_allowed", period)


class dibao_margin_savings_limit_fen(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "The same of near-dibao (低保边缘)"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        return _savings_limit_fen(household, period, parameters, MARGIN_SAVINGS)


class dibao_margin_savings_allowed(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "Savings are within that limit; where it was not read the officer's finding stands for it"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        if Figures(household, parameters, period).find_or_finding(MARGIN_SAVINGS) is None:
            return np.ones(household.count, dtype=bool)
        return household("savings_fen", period) <= household("dibao_margin_savings_limit_fen", period)


class dibao_margin_assets_allowed(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "Savings and all else of assets are within the limits of near-dibao"

    def formula(household: Any, period: Any) -> Any:
        return household("assets_found_allowed", period) & household("dibao_margin_savings_allowed", period)


def _savings_limit_fen(household: Any, period: Any, parameters: Any, path: str) -> Any:
    return household("dibao_limit_fen_month", period) * Figures(household, parameters, period).get(path)
