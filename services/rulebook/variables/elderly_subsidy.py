"""Old-age allowance (高龄津贴): a sum by age, where a place pays one (Shaanxi since 2010-10)."""
# OpenFisca finds a variable by its class name, and calls a formula with the entity in place of `self`.
# pyright: reportSelfClsParameterName=false, reportUnknownVariableType=false, reportUnknownMemberType=false

from typing import Any

import numpy as np

from services.rulebook.figures import Figures, RuleUnknown
from services.rulebook.openfisca import DAY, Person, Variable

SUMS, FROM_AGE = "elderly_subsidy", "from_age_"


class elderly_subsidy_fen_month(Variable):
    value_type = float
    entity = Person
    definition_period = DAY
    label = "Old-age allowance, fen a month: the sum of the highest age that was reached"

    def formula(person: Any, period: Any, parameters: Any) -> Any:
        figures, age = Figures(person, parameters, period), person("age_years", period)
        # Each sum's parameter names its age: elderly_subsidy.from_age_80.
        ages = sorted((int(name.removeprefix(FROM_AGE)) for name in figures.get(SUMS) if name.startswith(FROM_AGE)),
                      reverse=True)
        if not ages:
            raise RuleUnknown(SUMS)
        return np.select([age >= one for one in ages], [figures.get(f"{SUMS}.{FROM_AGE}{one}") for one in ages], 0)


class elderly_subsidy_due(Variable):
    value_type = bool
    entity = Person
    definition_period = DAY
    label = "Old enough for an allowance"

    def formula(person: Any, period: Any) -> Any:
        return person("elderly_subsidy_fen_month", period) > 0
