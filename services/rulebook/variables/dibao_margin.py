"""Near-dibao (最低生活保障边缘家庭, 民发〔2021〕57号 第八条): a recognition; Tianjin pays some households as well."""
# OpenFisca finds a variable by its class name, and calls a formula with the entity in place of `self`.
# pyright: reportSelfClsParameterName=false, reportUnknownVariableType=false, reportUnknownMemberType=false

from collections.abc import Callable
from typing import Any

import numpy as np

from services.rulebook.figures import PERCENT, Figures, above, below
from services.rulebook.openfisca import DAY, Household, Variable


class dibao_margin_limit_fen_month(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "Upper limit of income for the household, fen a month"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        percent = Figures(household, parameters, period).get("dibao_margin.income_limit_percent")
        return _share_of_standard(household, period, percent)


class dibao_margin_income_within_limit(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "Income per head is below the limit, or at it as well where the place says so (compared as totals)"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        comparison = Figures(household, parameters, period).get("dibao_margin.income_comparison")
        return below(comparison, household("income_fen_month", period),
                     household("dibao_margin_limit_fen_month", period))


class dibao_margin_income_above_standard(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "Income per head is above the share of the standard that the place names (Tianjin), elsewhere any"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        figures = Figures(household, parameters, period)
        percent = figures.find("dibao_margin.income_above_percent")
        if percent is None:
            return np.ones(household.count, dtype=bool)
        return above(figures.get("dibao_margin.income_above_comparison"), household("income_fen_month", period),
                     _share_of_standard(household, period, percent))


class dibao_margin_eligible(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "Income between the limits, assets within the limit of near-dibao"

    def formula(household: Any, period: Any) -> Any:
        return (household("dibao_margin_income_within_limit", period)
                & household("dibao_margin_income_above_standard", period)
                & household("dibao_margin_assets_allowed", period))


class dibao_margin_paid_group(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "The household is of one of the groups that the place pays near-dibao to"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        figures = Figures(household, parameters, period)
        groups = figures.get("dibao_margin.payment.only_with")
        return np.any([GROUPS[name](household, period, figures) for name in groups], axis=0)


class dibao_margin_fen_month(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "What the household is paid, fen a month: the sum as published, where the place pays any"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        sum_fen = Figures(household, parameters, period).find("dibao_margin.payment.household")
        if sum_fen is None:
            return np.zeros(household.count)
        due = household("dibao_margin_eligible", period) & household("dibao_margin_paid_group", period)
        return np.where(due, sum_fen, 0)


def _share_of_standard(household: Any, period: Any, percent: int) -> Any:
    return np.round(household("dibao_limit_fen_month", period) * percent / PERCENT, 6)


def _with_disabled(household: Any, period: Any, _: Figures) -> Any:
    return household.any(household.members("disability_grade", period) >= 1)


def _with_gravely_ill(household: Any, period: Any, _: Figures) -> Any:
    return household.any(household.members("serious_illness", period))


def _single_parent_with_pupil(household: Any, period: Any, _: Figures) -> Any:
    pupil = household.any(household.members("in_full_time_education", period))
    return household("single_parent", period) & pupil


def _family_planning(household: Any, period: Any, _: Figures) -> Any:
    return household("family_planning_special_support", period)


def _all_elderly_childless(household: Any, period: Any, figures: Figures) -> Any:
    old = household.members("age_years", period) >= figures.get("dibao_margin.payment.elderly_age_years")
    return household.all(old) & household("childless", period)


GROUPS: dict[str, Callable[[Any, Any, Figures], Any]] = {
    "disabled_member": _with_disabled, "gravely_ill_member": _with_gravely_ill,
    "single_parent_with_pupil": _single_parent_with_pupil, "family_planning_special_support": _family_planning,
    "all_members_elderly_childless": _all_elderly_childless,
}
"""Groups by their names in units.yaml; a place that names another one first needs it here."""
