"""The two subsidies for people with disabilities (残疾人两项补贴, 国发〔2015〕52号): living and care."""
# OpenFisca finds a variable by its class name, and calls a formula with the entity in place of `self`.
# pyright: reportSelfClsParameterName=false, reportUnknownVariableType=false, reportUnknownMemberType=false

from typing import Any

import numpy as np

from services.rulebook.figures import Figures, RuleUnknown
from services.rulebook.openfisca import DAY, Household, Person, Variable
from services.rulebook.variables.recognised import recognised_as

LIVING, CARE = "disability_subsidy.living", "disability_subsidy.care"


class disability_certified(Variable):
    value_type = bool
    entity = Person
    definition_period = DAY
    label = "Holds a disability certificate (残疾人证)"

    def formula(person: Any, period: Any) -> Any:
        return person("disability_grade", period) >= 1


class disability_living_recognised(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "The household is recognised as one that the living subsidy is for"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        groups = Figures(household, parameters, period).get("disability_living_subsidy.groups")
        return recognised_as(household, period, groups)


class disability_living_due(Variable):
    value_type = bool
    entity = Person
    definition_period = DAY
    label = "Certified, in a household recognised so"

    def formula(person: Any, period: Any) -> Any:
        return (person("disability_certified", period)
                & person.household("disability_living_recognised", period))


class disability_living_fen_month(Variable):
    value_type = float
    entity = Person
    definition_period = DAY
    label = "Living subsidy (困难残疾人生活补贴), fen a month: one sum, or by grade (Tianjin), or by age (Shaanxi)"

    def formula(person: Any, period: Any, parameters: Any) -> Any:
        of_place = _living_of_place(person, period, Figures(person, parameters, period))
        return np.where(person("disability_living_due", period), of_place, 0)


class disability_care_fen_month(Variable):
    value_type = float
    entity = Person
    definition_period = DAY
    label = "Care subsidy of the gravely disabled (重度残疾人护理补贴), fen a month: one sum, or one of each grade"

    def formula(person: Any, period: Any, parameters: Any) -> Any:
        figures = Figures(person, parameters, period)
        alike = figures.find(f"{CARE}.all")
        if alike is not None:
            return np.where(person("gravely_disabled", period), alike, 0)
        grade = person("disability_grade", period)
        grades = range(1, figures.get("person.grave_disability.grade_max") + 1)
        of_grade = np.select([grade == one for one in grades],
                             [figures.get(f"{CARE}.grade_{one}") for one in grades], 0)
        return np.where(person("gravely_disabled", period), of_grade, 0)


def _living_of_place(person: Any, period: Any, figures: Figures) -> Any:
    """What the place pays a person like each, whether or not it is due."""
    alike, grave, adult = (figures.find(f"{LIVING}.{whose}") for whose in ("all", "grave", "adult"))
    if alike is not None:
        return np.full(person.count, alike)
    if grave is not None:
        return np.where(person("gravely_disabled", period), grave, figures.get(f"{LIVING}.other"))
    if adult is not None:
        of_age = person("age_years", period) >= figures.get("person.adult_age_years")
        return np.where(of_age, adult, figures.get(f"{LIVING}.minor"))
    raise RuleUnknown(f"{LIVING}.all")
