"""Households with unavoidable expense (刚性支出困难家庭, 民政部 2024-10): a recognition, valid for a time.

The sums of disposable income were not read, so whether income is below them is an officer's signed finding; how much of
the expense a place deducts before that comparison (Qinghai: 40 to 60%) is part of the finding.
"""
# OpenFisca finds a variable by its class name, and calls a formula with the entity in place of `self`.
# pyright: reportSelfClsParameterName=false, reportUnknownVariableType=false, reportUnknownMemberType=false

from typing import Any

import numpy as np

from services.rulebook.figures import PERCENT, Figures, above
from services.rulebook.openfisca import DAY, Household, Variable


class rigid_income_allowed(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "Income is below last year's disposable income of the area the place names, by an officer's signed finding"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        Figures(household, parameters, period).get("rigid_expense.income_base")  # before 2024-10 there was no such rule
        return household("income_within_rigid_expense_limit", period)


class rigid_expense_threshold_fen(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "The share of the income of the look-back time that the expense has to reach, fen"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        figures = Figures(household, parameters, period)
        # Income before disregards and deductions: they are for the same illness and schooling that is counted here.
        income = household("gross_income_fen_month", period) * figures.get("rigid_expense.look_back_months")
        return np.round(income * figures.get("rigid_expense.expense_share_percent") / PERCENT, 6)


class rigid_expense_share_reached(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "The expense reaches that share; a household without any expense never does"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        threshold = household("rigid_expense_threshold_fen", period)
        comparison = Figures(household, parameters, period).get("rigid_expense.expense_comparison")
        expense = household("rigid_expense_fen_12_months", period)
        return (expense > 0) & above(comparison, expense, threshold)


class rigid_assets_allowed(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "Assets are within the limits, tested as for the benefit the place names; elsewhere by the finding alone"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        tested_as = Figures(household, parameters, period).find("rigid_expense.assets_as") or ()
        tests = [household(f"{benefit}_assets_allowed", period) for benefit in tested_as]
        return np.all([household("assets_found_allowed", period), *tests], axis=0)


class rigid_expense_eligible(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "Income and assets within the limits, expense large enough"

    def formula(household: Any, period: Any) -> Any:
        return (household("rigid_income_allowed", period) & household("rigid_expense_share_reached", period)
                & household("rigid_assets_allowed", period))
