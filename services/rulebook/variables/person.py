"""What is calculated about a person. What is known about one is an input: see evidence.yaml."""
# OpenFisca finds a variable by its class name, and calls a formula with the entity in place of `self`.
# pyright: reportSelfClsParameterName=false, reportUnknownVariableType=false, reportUnknownMemberType=false

from typing import Any

import numpy as np

from services.rulebook.figures import MONTHS_PER_YEAR, Figures
from services.rulebook.openfisca import DAY, Person, Variable


class age_years(Variable):
    value_type = int
    entity = Person
    definition_period = DAY
    label = "Completed years of life (周岁), gained on the birthday"

    def formula(person: Any, period: Any) -> Any:
        born = person("born_on", period)
        birth_month, today = born.astype("datetime64[M]"), np.datetime64(str(period.start), "D")
        this_month = today.astype("datetime64[M]")
        months = (this_month - birth_month).astype(int)
        before_the_day = (born - birth_month) > (today - this_month)
        return (months - before_the_day) // MONTHS_PER_YEAR


class gravely_disabled(Variable):
    value_type = bool
    entity = Person
    definition_period = DAY
    label = "Gravely disabled (重度残疾): grade 1 or 2"

    def formula(person: Any, period: Any, parameters: Any) -> Any:
        grade = person("disability_grade", period)
        return (grade >= 1) & (grade <= Figures(person, parameters, period).get("person.grave_disability.grade_max"))


class person_income_fen_month(Variable):
    value_type = float
    entity = Person
    definition_period = DAY
    label = "Income of a person, fen a month"

    def formula(person: Any, period: Any) -> Any:
        # No share is deducted for the cost of working: each district sets its own, and none was found. What an
        # officer recognised of it is in the household's recognised expense.
        return (person("wage_fen_month", period) + person("pension_fen_month", period)
                + person("business_fen_month", period) + person("property_income_fen_month", period)
                + person("transfer_fen_month", period))


class income_disregard_fen_month(Variable):
    value_type = float
    entity = Person
    definition_period = DAY
    label = "Left out of the household's income for a person's disability or illness, fen a month (Tianjin 2025)"

    def formula(person: Any, period: Any, parameters: Any) -> Any:
        figures = Figures(person, parameters, period)
        grave = figures.find("income.disregard.disability_grave")
        if grave is None:
            return person("person_income_fen_month", period) * 0
        kind, grade = person("disability_kind", period), person("disability_grade", period)
        of_kind = np.isin(np.asarray(kind.decode_to_str()), figures.get("income.disregard.disability_grave_kinds"))
        is_grave = of_kind & (grade >= 1) & (grade <= figures.get("income.disregard.disability_grave_grade_max"))
        by_disability = np.select([is_grave, grade >= 1], [grave, figures.get("income.disregard.disability_other")], 0)
        by_illness = np.select(
            [person("illness_list", period) == number for number in (1, 2, 3)],
            [figures.get(f"income.disregard.illness_list_{number}") for number in (1, 2, 3)], 0)
        # Whether both may be left out was not read: the higher is.
        return np.maximum(by_disability, by_illness)
