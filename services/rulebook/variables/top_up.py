"""Top-ups by category (分类重点救助): of two the higher is paid; the one for any disability comes on top."""
# OpenFisca finds a variable by its class name, and calls a formula with the entity in place of `self`.
# pyright: reportSelfClsParameterName=false

from typing import Any

import numpy as np

from services.rulebook.openfisca import DAY, Person, Variable


class grave_or_elderly_fen_month(Variable):
    value_type = float
    entity = Person
    definition_period = DAY
    label = "Top-up due for grave disability, serious illness or old age, before the higher is chosen"

    def formula(person: Any, period: Any, parameters: Any) -> Any:
        top_up = parameters(period).dibao.top_up
        grade = person("disability_grade", period)
        grave = (grade >= 1) & (grade <= top_up.grave_grade_max)
        elderly = person("age_years", period) >= top_up.elderly_age_years
        return np.where(grave | elderly | person("serious_illness", period), top_up.grave_or_elderly, 0)


class preschool_or_student_fen_month(Variable):
    value_type = float
    entity = Person
    definition_period = DAY
    label = "Top-up due for a preschool child or a student, before the higher is chosen"

    def formula(person: Any, period: Any, parameters: Any) -> Any:
        preschool = person("age_years", period) < parameters(period).person.school_age_years
        due = preschool | person("in_full_time_education", period)
        return np.where(due, parameters(period).dibao.top_up.preschool_or_student, 0)


class top_up_disabled_fen_month(Variable):
    value_type = float
    entity = Person
    definition_period = DAY
    label = "Top-up paid for a disability of any grade, also beside another, fen a month"

    def formula(person: Any, period: Any, parameters: Any) -> Any:
        due = person.household("dibao_eligible", period) & (person("disability_grade", period) >= 1)
        return np.where(due, parameters(period).dibao.top_up.disabled, 0)


class top_up_grave_or_elderly_fen_month(Variable):
    value_type = float
    entity = Person
    definition_period = DAY
    label = "Top-up paid for grave disability, serious illness or old age, fen a month"

    def formula(person: Any, period: Any) -> Any:
        due = person("grave_or_elderly_fen_month", period)
        other = person("preschool_or_student_fen_month", period)
        return np.where(person.household("dibao_eligible", period) & (due > other), due, 0)


class top_up_preschool_or_student_fen_month(Variable):
    value_type = float
    entity = Person
    definition_period = DAY
    label = "Top-up paid for a preschool child or a student, fen a month"

    def formula(person: Any, period: Any) -> Any:
        due = person("preschool_or_student_fen_month", period)
        other = person("grave_or_elderly_fen_month", period)
        return np.where(person.household("dibao_eligible", period) & (due >= other), due, 0)
