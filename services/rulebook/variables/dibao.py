"""Dibao (最低生活保障): standard less income per head (社会救助暂行办法 9, 12), or a tier where a place pays so."""
# OpenFisca finds a variable by its class name, and calls a formula with the entity in place of `self`.
# pyright: reportSelfClsParameterName=false, reportUnknownVariableType=false, reportUnknownMemberType=false

from typing import Any

import numpy as np

from contracts.facts import FactName
from services.rulebook.facts_as_inputs import words_of
from services.rulebook.figures import PERCENT, Figures, RuleUnknown, below, half_up
from services.rulebook.openfisca import DAY, Household, Variable

TIERS = words_of(FactName.DIBAO_TIER)
DIFFERENCE, BY_TIERS = "difference", "tiers"


class dibao_standard_fen_month(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "Local standard a person as published, fen a month; of a yearly standard the twelfth"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        urban = household("urban_standard", period)
        return Figures(household, parameters, period).by_standard(urban, "dibao.standard")


class dibao_limit_fen_month(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "Local standard times members, fen a month; more where the area brings more (Tibet: border and height)"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        limit = household("dibao_standard_fen_month", period) * household("members_count", period)
        figures, percent = Figures(household, parameters, period), PERCENT
        more_percent = figures.find("dibao.area_supplement.percent")
        if more_percent is not None and figures.get("dibao.area_supplement.due"):
            percent += more_percent
        return np.round(limit * percent / PERCENT, 6)  # Hazard: thirds of a yearly standard come out a hair beside it


class dibao_income_below_standard(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "Income per head is below the standard (compared as totals, so that nothing is rounded)"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        comparison = Figures(household, parameters, period).get("dibao.income_comparison")
        return below(comparison, household("income_fen_month", period), household("dibao_limit_fen_month", period))


class dibao_eligible(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "Income below the standard, assets within the limit, and alone only who may apply alone (Art. 9)"

    def formula(household: Any, period: Any) -> Any:
        return (household("dibao_income_below_standard", period) & household("dibao_assets_allowed", period)
                & household("may_apply_so", period))


class dibao_difference_fen_month(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "The difference paid (差额, Art. 12), fen a month; rounded to the fen, halves up, but never to nothing"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        method = _method(household, period, parameters)
        difference = household("dibao_limit_fen_month", period) - household("income_fen_month", period)
        # Below a standard that is no whole fen by less than half a fen: eligible all the same, so it is paid a fen.
        paid = np.maximum(half_up(difference), 1)
        return np.where(household("dibao_eligible", period) & (method == DIFFERENCE), paid, 0)


class dibao_tier_fen_month(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "The tier paid (分档), each member's, fen a month; which one is an officer's finding"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        method, figures = _method(household, period, parameters), Figures(household, parameters, period)
        if not (method == BY_TIERS).any():
            return household("dibao_limit_fen_month", period) * 0
        tier = household("dibao_tier", period)
        of_person = np.select([tier == TIERS[name] for name in ("high", "middle", "low")],
                              [figures.get(f"dibao.tier.{name}") for name in ("high", "middle", "low")])
        paid = household("dibao_eligible", period) & (method == BY_TIERS)
        return np.where(paid, of_person * household("members_count", period), 0)


class dibao_fen_month(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "What the household is paid: difference or tier, and top-ups, fen a month"

    def formula(household: Any, period: Any) -> Any:
        top_ups = (household.sum(household.members("top_up_disabled_fen_month", period))
                   + household.sum(household.members("top_up_grave_or_elderly_fen_month", period))
                   + household.sum(household.members("top_up_preschool_or_student_fen_month", period))
                   + household.sum(household.members("top_up_share_fen_month", period)))
        return (household("dibao_difference_fen_month", period) + household("dibao_tier_fen_month", period)
                + top_ups)


def _method(household: Any, period: Any, parameters: Any) -> Any:
    """How each household is paid. A place that leaves the choice to its counties has not said."""
    method = Figures(household, parameters, period).words_by_standard(household("urban_standard", period),
                                                                      "dibao.method")
    if not np.isin(method, (DIFFERENCE, BY_TIERS)).all():
        raise RuleUnknown("dibao.method")
    return method
