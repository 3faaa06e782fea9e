"""The income of a household as it is counted for every means-tested benefit, fen a month."""
# OpenFisca finds a variable by its class name, and calls a formula with the entity in place of `self`.
# pyright: reportSelfClsParameterName=false, reportUnknownVariableType=false, reportUnknownMemberType=false

from typing import Any

import numpy as np

from contracts.facts import FactName
from services.rulebook.facts_as_inputs import words_of
from services.rulebook.figures import PERCENT, Figures
from services.rulebook.openfisca import DAY, Household, Variable


class urban_standard(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "The urban standard applies; otherwise the rural one"

    def formula(household: Any, period: Any) -> Any:
        return household("standard", period) == words_of(FactName.STANDARD)["urban"]


class members_count(Variable):
    value_type = int
    entity = Household
    definition_period = DAY
    label = "Living members"

    def formula(household: Any, period: Any) -> Any:
        return household.nb_persons()


class support_counted_fen_month(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "Support owed by relatives (赡养费 and the like), less what the place disregards"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        support = household("support_income_fen_month", period)
        percent = Figures(household, parameters, period).find("support.disregard.percent")
        if percent is None:
            return support
        elderly = np.minimum(household("support_from_elderly_fen_month", period), support)
        return support - elderly * percent / PERCENT


class gross_income_fen_month(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "Income of all members and support, before what is left out for illness, disability, schooling or work"

    def formula(household: Any, period: Any) -> Any:
        persons = household.sum(household.members("person_income_fen_month", period))
        return persons + household("support_counted_fen_month", period)


class income_fen_month(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "Counted income of the household (共同生活家庭成员收入): income and support, less disregards and expense"

    def formula(household: Any, period: Any) -> Any:
        disregards = household.sum(household.members("income_disregard_fen_month", period))
        counted = (household("gross_income_fen_month", period) - disregards
                   - household("recognised_expense_fen_month", period))
        return np.maximum(counted, 0)
