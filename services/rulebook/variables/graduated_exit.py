"""Graduated exit (渐退): a household on dibao is kept on it for some months after its income reached the standard.

Nationally at most six months (民政部规定); Lhasa three to six for the newly employed (拉萨市最低生活保障实施细则);
Chongqing six at 1 to 1.5 times the standard (2021). What is paid meanwhile was not read: the full sum or less.
Months are counted as dibao is paid: the first is the one after that in which income reached the standard.
"""
# OpenFisca finds a variable by its class name, and calls a formula with the entity in place of `self`.
# pyright: reportSelfClsParameterName=false, reportUnknownVariableType=false, reportUnknownMemberType=false

from datetime import date
from typing import Any

import numpy as np

from contracts.facts import FactName
from services.rulebook.facts_as_inputs import words_of
from services.rulebook.figures import PERCENT, Figures
from services.rulebook.openfisca import DAY, Household, Variable

RECOGNISED = words_of(FactName.RECOGNISED_AS)
SHARES = "graduated_exit.income_percent"


class graduated_exit_month(Variable):
    value_type = int
    entity = Household
    definition_period = DAY
    label = "Which month of graduated exit it is: 0 in the month in which income reached the standard"

    def formula(household: Any, period: Any) -> Any:
        return (np.datetime64(str(period.start), "M") - _month_reached(household, period)).astype(int)


class graduated_exit_income_allowed(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "Income is between the shares of the standard that the place names; where it names none, whatever it is"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        figures = Figures(household, parameters, period)
        least, most = figures.find(f"{SHARES}_min"), figures.find(f"{SHARES}_max")
        if least is None and most is None:
            return np.ones(household.count, dtype=bool)
        income, limit = household("income_fen_month", period), household("dibao_limit_fen_month", period)
        above_least = income >= np.round(limit * (least or 0) / PERCENT, 6)
        return above_least if most is None else above_least & (income <= np.round(limit * most / PERCENT, 6))


class graduated_exit_under_way(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "On dibao though income has reached the standard, and not above what the place allows"

    def formula(household: Any, period: Any) -> Any:
        on_dibao = household("recognised_as", period) == RECOGNISED["dibao"]
        reached = household("income_above_since", period) <= np.datetime64(str(period.start), "D")
        return on_dibao & reached & household("graduated_exit_income_allowed", period)


class graduated_exit_kept(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "Has to be kept on dibao on this day: within the months that the place grants at least"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        months = Figures(household, parameters, period).find("graduated_exit.months_min")
        if months is None:
            return np.zeros(household.count, dtype=bool)  # nothing is promised there; the office may keep it
        return household("graduated_exit_under_way", period) & (household("graduated_exit_month", period) <= months)


class graduated_exit_may_be_kept(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "May be kept on dibao on this day: within the months of the longest graduated exit"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        months = Figures(household, parameters, period).get("graduated_exit.months_max")
        return household("graduated_exit_under_way", period) & (household("graduated_exit_month", period) <= months)


class graduated_exit_last_month(Variable):
    value_type = date
    entity = Household
    definition_period = DAY
    label = "First day of the last month for which it may be kept on dibao"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        months = Figures(household, parameters, period).get("graduated_exit.months_max")
        return (_month_reached(household, period) + months).astype("datetime64[D]")


def _month_reached(household: Any, period: Any) -> Any:
    return household("income_above_since", period).astype("datetime64[M]")
