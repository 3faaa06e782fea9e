"""Price subsidy (价格临时补贴): for a month whose consumer or food prices rose to a limit (发改价格〔2021〕1553号)."""
# OpenFisca finds a variable by its class name, and calls a formula with the entity in place of `self`.
# pyright: reportSelfClsParameterName=false, reportUnknownVariableType=false, reportUnknownMemberType=false

from typing import Any

from services.rulebook.figures import Figures, half_up
from services.rulebook.openfisca import DAY, Household, Variable
from services.rulebook.variables.recognised import recognised_as


class price_linkage_recognised(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "Recognised as one of the groups paid, or of those added for a time"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        figures = Figures(household, parameters, period)
        added = figures.find("price_linkage.added_groups")
        return recognised_as(household, period, [*figures.get("price_linkage.groups"), *(added or [])])


class cpi_limit_per_mille(Variable):
    value_type = int
    entity = Household
    definition_period = DAY
    label = "Rise of consumer prices from which the subsidy is paid, per mille"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        return household.filled_array(Figures(household, parameters, period).get("price_linkage.cpi_per_mille"))


class food_limit_per_mille(Variable):
    value_type = int
    entity = Household
    definition_period = DAY
    label = "Rise of food prices from which the subsidy is paid, per mille"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        return household.filled_array(Figures(household, parameters, period).get("price_linkage.food_per_mille"))


class price_rise_reached(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "Consumer prices or food prices rose to their limit (达到)"

    def formula(household: Any, period: Any) -> Any:
        return ((household("cpi_rise_per_mille", period) >= household("cpi_limit_per_mille", period))
                | (household("food_rise_per_mille", period) >= household("food_limit_per_mille", period)))


class price_subsidy_published(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "The place published a sum a head: the formula is each place's own, and none was read"

    def formula(household: Any, period: Any) -> Any:
        return household("price_subsidy_fen_month", period) > 0


class price_linkage_due(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "The price subsidy is due for the month"

    def formula(household: Any, period: Any) -> Any:
        return (household("price_linkage_recognised", period) & household("price_rise_reached", period)
                & household("price_subsidy_published", period))


class price_linkage_fen(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "The published sum for every member, for the month, fen"

    def formula(household: Any, period: Any) -> Any:
        of_all = household("price_subsidy_fen_month", period) * household("members_count", period)
        return household("price_linkage_due", period) * half_up(of_all)
