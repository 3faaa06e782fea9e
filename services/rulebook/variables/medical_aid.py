"""Medical aid (医疗救助) on what is left to pay after basic and critical insurance (国办发〔2021〕42号), a year.

A place's own scheme: a share above a deductible, and a second share of what is then left (倾斜救助, Tianjin); or a
share of large costs (大额费用救助, Chongqing). Where a group's share was not read, medical insurance sets the sum.
"""
# OpenFisca finds a variable by its class name, and calls a formula with the entity in place of `self`.
# pyright: reportSelfClsParameterName=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from typing import Any

import numpy as np

from contracts.facts import FactName
from services.rulebook.facts_as_inputs import words_of
from services.rulebook.figures import PERCENT, Figures, RuleUnknown, half_up
from services.rulebook.openfisca import DAY, Household, Person, Variable
from services.rulebook.variables.recognised import recognised_as

RECOGNISED = words_of(FactName.RECOGNISED_AS)
ABOVE_DEDUCTIBLE, OF_LARGE_COST = "medical_aid.rate_percent", "medical_aid.large_cost.rate_percent"
OF_WHAT_IS_LEFT = "medical_aid.second.rate_percent"


class medical_aid_recognised(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "Recognised as one of the groups of medical aid"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        return recognised_as(household, period, Figures(household, parameters, period).get("medical_aid.groups"))


class medical_rate_percent(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "Share paid above the deductible, percent; 0 where it was not read for the household's group"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        return _rate(household, period, Figures(household, parameters, period), ABOVE_DEDUCTIBLE)


class medical_large_cost_rate_percent(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "Share paid of large costs, percent; 0 where it was not read for the household's group"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        return _rate(household, period, Figures(household, parameters, period), OF_LARGE_COST)


class medical_deductible_fen_year(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "Own cost of a year that nothing is paid for (起付标准)"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        figures = Figures(household, parameters, period)
        if not _rates(figures, ABOVE_DEDUCTIBLE):
            return np.zeros(household.count)
        key = recognised_as(household, period, figures.get("medical_aid.key_groups"))
        income = household("disposable_income_fen_year", period)
        percent = _of_group(household, period, _rates(figures, "medical_aid.deductible_percent_of_income"))
        other: Any = np.round(income * percent / PERCENT, 6)
        return np.where(key, figures.get("medical_aid.deductible_fen_year.key_groups"), other)


class medical_aid_first_fen_year(Variable):
    value_type = float
    entity = Person
    definition_period = DAY
    label = "Paid of a person's own cost above the deductible, fen a year"

    def formula(person: Any, period: Any) -> Any:
        deductible = person.household("medical_deductible_fen_year", period)
        above = np.maximum(person("medical_paid_self_fen_12_months", period) - deductible, 0)
        return half_up(above * person.household("medical_rate_percent", period) / PERCENT)


class medical_aid_second_fen_year(Variable):
    value_type = float
    entity = Person
    definition_period = DAY
    label = "Paid of what is still left above a limit, up to a cap (倾斜救助), fen a year"

    def formula(person: Any, period: Any, parameters: Any) -> Any:
        figures = Figures(person, parameters, period)
        rate = figures.find_or_finding(OF_WHAT_IS_LEFT)
        if rate is None:
            return np.zeros(person.count)
        left = person("medical_paid_self_fen_12_months", period) - person("medical_aid_first_fen_year", period)
        above = np.maximum(left - figures.get("medical_aid.second.own_cost_over"), 0)
        aid = np.minimum(half_up(above * rate / PERCENT), figures.get("medical_aid.second.cap"))
        return np.where(person.household("medical_rate_percent", period) > 0, aid, 0)


class medical_aid_large_cost_fen_year(Variable):
    value_type = float
    entity = Person
    definition_period = DAY
    label = "Paid of a person's large cost, up to a cap (大额费用医疗救助), fen a year"

    def formula(person: Any, period: Any, parameters: Any) -> Any:
        figures = Figures(person, parameters, period)
        if not _rates(figures, OF_LARGE_COST):
            return np.zeros(person.count)
        cost = person("medical_paid_self_fen_12_months", period)
        aid = half_up(cost * person.household("medical_large_cost_rate_percent", period) / PERCENT)
        return np.minimum(aid, figures.get("medical_aid.large_cost.cap"))


class medical_aid_set_fen_year(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "The sum that medical insurance set for a group whose share was not read; never above the cost"

    def formula(household: Any, period: Any) -> Any:
        cost = household.sum(household.members("medical_paid_self_fen_12_months", period))
        found = np.minimum(household("medical_aid_found_fen_year", period), cost)
        return np.where(_sum_is_set(household, period), found, 0)


class medical_cost_counts(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "A member's own cost is above the deductible, or medical insurance set a sum"

    def formula(household: Any, period: Any) -> Any:
        cost = household.max(household.members("medical_paid_self_fen_12_months", period))
        by_cost = cost > household("medical_deductible_fen_year", period)
        by_sum_set = household("medical_aid_set_fen_year", period) > 0
        return np.where(_sum_is_set(household, period), by_sum_set, by_cost)


class medical_aid_due(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "Medical aid is due"

    def formula(household: Any, period: Any) -> Any:
        return household("medical_aid_recognised", period) & household("medical_cost_counts", period)


class medical_aid_fen_year(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "Medical aid of all members, fen a year"

    def formula(household: Any, period: Any) -> Any:
        of_members = ("medical_aid_first_fen_year", "medical_aid_second_fen_year", "medical_aid_large_cost_fen_year")
        return (sum(household.sum(household.members(name, period)) for name in of_members)
                + household("medical_aid_set_fen_year", period))


def _sum_is_set(household: Any, period: Any) -> Any:
    """Whether medical insurance sets the sum: the household's group is one of medical aid, its share was not read."""
    share_known = ((household("medical_rate_percent", period) > 0)
                   | (household("medical_large_cost_rate_percent", period) > 0))
    return household("medical_aid_recognised", period) & ~share_known


def _rates(figures: Any, path: str) -> dict[str, int]:
    """The shares of this group of parameters that are known here, by group of households."""
    read = {name: figures.find_or_finding(f"{path}.{name}") for name in figures.get("medical_aid.groups")}
    return {name: rate for name, rate in read.items() if rate is not None}


def _rate(household: Any, period: Any, figures: Any, path: str) -> Any:
    """The share of each household's group. Every place has medical aid: none known here is a rule not known."""
    if not _rates(figures, ABOVE_DEDUCTIBLE) and not _rates(figures, OF_LARGE_COST):
        raise RuleUnknown(ABOVE_DEDUCTIBLE)
    return _of_group(household, period, _rates(figures, path))


def _of_group(household: Any, period: Any, rates: dict[str, int]) -> Any:
    status = household("recognised_as", period)
    percent = np.zeros(household.count)
    for name, rate in rates.items():
        percent = np.where(status == RECOGNISED[name], rate, percent)
    return percent
