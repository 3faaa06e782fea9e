"""Dibao (最低生活保障): standard less income per head, paid as the difference (社会救助暂行办法 9, 12)."""
# OpenFisca finds a variable by its class name, and calls a formula with the entity in place of `self`.
# pyright: reportSelfClsParameterName=false

from typing import Any

import numpy as np

from services.rulebook.openfisca import DAY, Household, Variable


class urban_standard(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "The urban standard applies; otherwise the rural one"


class assets_within_local_limit(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "Assets are within the place's limit: an officer's signed finding"


class support_income_fen_month(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "Owed by relatives outside the household (赡养费 and the like), fen a month"


class members_count(Variable):
    value_type = int
    entity = Household
    definition_period = DAY
    label = "Living members"

    def formula(household: Any, period: Any) -> Any:
        return household.nb_persons()


class income_fen_month(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "Counted income of the household (共同生活家庭成员收入), fen a month"

    def formula(household: Any, period: Any) -> Any:
        persons = household.sum(household.members("person_income_fen_month", period))
        return persons + household("support_income_fen_month", period)


class dibao_limit_fen_month(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "Local standard times members, fen a month"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        standard = parameters(period).dibao.standard
        urban: Any = household("urban_standard", period)
        per_person = standard.rural + urban * (standard.urban - standard.rural)
        return per_person * household("members_count", period)


class dibao_income_below_standard(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "Income per head is below the standard (compared as totals, so that nothing is rounded)"

    def formula(household: Any, period: Any) -> Any:
        return household("income_fen_month", period) < household("dibao_limit_fen_month", period)


class dibao_eligible(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "Income below the standard and assets within the limit (Art. 9)"

    def formula(household: Any, period: Any) -> Any:
        below = household("dibao_income_below_standard", period)
        return below & household("assets_within_local_limit", period)


class dibao_difference_fen_month(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "The difference paid (差额, Art. 12), fen a month"

    def formula(household: Any, period: Any) -> Any:
        difference = household("dibao_limit_fen_month", period) - household("income_fen_month", period)
        return np.where(household("dibao_eligible", period), difference, 0)


class dibao_fen_month(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "What the household is paid: difference and top-ups, fen a month"

    def formula(household: Any, period: Any) -> Any:
        top_ups = (household.sum(household.members("top_up_disabled_fen_month", period))
                   + household.sum(household.members("top_up_grave_or_elderly_fen_month", period))
                   + household.sum(household.members("top_up_preschool_or_student_fen_month", period)))
        return household("dibao_difference_fen_month", period) + top_ups
