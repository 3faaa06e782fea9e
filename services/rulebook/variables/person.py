"""What is known about a person. Hazard: to OpenFisca an input that is not set is a default, never unknown."""
# OpenFisca finds a variable by its class name, and calls a formula with the entity in place of `self`.
# pyright: reportSelfClsParameterName=false

from datetime import date
from typing import Any

import numpy as np

from services.rulebook.openfisca import DAY, Person, Variable


class born_on(Variable):
    value_type = date
    entity = Person
    definition_period = DAY
    label = "Day of birth"


class disability_grade(Variable):
    value_type = int
    entity = Person
    definition_period = DAY
    label = "Grade on the disability certificate, 1 (gravest) to 4; 0 without one"


class serious_illness(Variable):
    value_type = bool
    entity = Person
    definition_period = DAY
    label = "Seriously ill (重病患者)"


class in_full_time_education(Variable):
    value_type = bool
    entity = Person
    definition_period = DAY
    label = "Student (在校学生)"


class wage_fen_month(Variable):
    value_type = float
    entity = Person
    definition_period = DAY
    label = "Wage (工资性收入), fen a month"


class pension_fen_month(Variable):
    value_type = float
    entity = Person
    definition_period = DAY
    label = "Pension (养老金), fen a month"


class business_fen_month(Variable):
    value_type = float
    entity = Person
    definition_period = DAY
    label = "Net business income (经营净收入), fen a month"


class property_income_fen_month(Variable):
    value_type = float
    entity = Person
    definition_period = DAY
    label = "Net income from property (财产净收入), fen a month"


class transfer_fen_month(Variable):
    value_type = float
    entity = Person
    definition_period = DAY
    label = "Net transfers but pension (转移净收入), fen a month"


class age_years(Variable):
    value_type = int
    entity = Person
    definition_period = DAY
    label = "Completed years of life (周岁), gained on the birthday"

    def formula(person: Any, period: Any) -> Any:
        born = person("born_on", period)
        year, month = born.astype("datetime64[Y]"), born.astype("datetime64[M]")
        day = np.datetime64(str(period.start), "D")
        birth_month = (month - year).astype(int)
        birth_day = (born - month).astype(int)
        this_year, this_month = day.astype("datetime64[Y]"), day.astype("datetime64[M]")
        month_now, day_now = int((this_month - this_year).astype(int)), int((day - this_month).astype(int))
        before_birthday = (month_now < birth_month) | ((month_now == birth_month) & (day_now < birth_day))
        return (this_year - year).astype(int) - before_birthday


class person_income_fen_month(Variable):
    value_type = float
    entity = Person
    definition_period = DAY
    label = "Counted income of a person, fen a month"

    def formula(person: Any, period: Any) -> Any:
        # No share is deducted for the cost of working: each district sets its own, and none was found.
        return (person("wage_fen_month", period) + person("pension_fen_month", period)
                + person("business_fen_month", period) + person("property_income_fen_month", period)
                + person("transfer_fen_month", period))
