"""Help from a charity fund (慈善救助): the fund sets the sum; small ones the town approves, others are filed."""
# OpenFisca finds a variable by its class name, and calls a formula with the entity in place of `self`.
# pyright: reportSelfClsParameterName=false, reportUnknownVariableType=false, reportUnknownMemberType=false

from typing import Any

import numpy as np

from services.rulebook.figures import Figures
from services.rulebook.openfisca import DAY, Household, Variable


class charity_aid_due(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "The charity fund of the place set a sum"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        Figures(household, parameters, period).get("charity.fund_kept_at")  # a place without a fund has no rule
        return household("charity_amount_fen", period) > 0


class charity_aid_fen(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "The sum from the charity fund, given once, fen"

    def formula(household: Any, period: Any) -> Any:
        return np.where(household("charity_aid_due", period), household("charity_amount_fen", period), 0)


class charity_aid_filed_with_district(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "Above what the town approves by itself: filed with the district (区级备案)"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        limit = Figures(household, parameters, period).get("charity.town_limit")
        return household("charity_aid_fen", period) > limit
