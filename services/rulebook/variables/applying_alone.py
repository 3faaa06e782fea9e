"""Who may apply alone, apart from the family they live with (单人户, 民发〔2021〕57号 第八条)."""
# OpenFisca finds a variable by its class name, and calls a formula with the entity in place of `self`.
# pyright: reportSelfClsParameterName=false, reportUnknownVariableType=false, reportUnknownMemberType=false

from typing import Any

import numpy as np

from contracts.facts import FactName
from services.rulebook.facts_as_inputs import words_of
from services.rulebook.figures import PERCENT, Figures, below
from services.rulebook.openfisca import DAY, Household, Person, Variable

RULE = "dibao.single_person"
KINDS = words_of(FactName.DISABILITY_KIND)


class disabled_enough_to_apply_alone(Variable):
    value_type = bool
    entity = Person
    definition_period = DAY
    label = "Gravely disabled, or disabled in mind to the grade the rule names"

    def formula(person: Any, period: Any, parameters: Any) -> Any:
        figures = Figures(person, parameters, period)
        grade, kind = person("disability_grade", period), person("disability_kind", period)
        in_mind = (kind == KINDS["mental"]) | (kind == KINDS["intellectual"])
        grade_max = np.where(in_mind, figures.get(f"{RULE}.grade_max_mental_intellectual"),
                             figures.get(f"{RULE}.grade_max"))
        return (grade >= 1) & (grade <= grade_max)


class may_apply_alone(Variable):
    value_type = bool
    entity = Person
    definition_period = DAY
    label = "Disabled enough, or seriously ill"

    def formula(person: Any, period: Any, parameters: Any) -> Any:
        figures = Figures(person, parameters, period)
        if figures.find(f"{RULE}.grade_max") is None:
            return np.zeros(person.count, dtype=bool)  # nobody might, before the rule of 2021
        ill = person("serious_illness", period) & figures.get(f"{RULE}.serious_illness")
        return person("disabled_enough_to_apply_alone", period) | ill


class kept_though_grown_and_disabled(Variable):
    value_type = bool
    entity = Person
    definition_period = DAY
    label = "An adult whose disability lets them apply alone, kept by relatives (Chongqing 2023)"

    def formula(person: Any, period: Any, parameters: Any) -> Any:
        grown = person("age_years", period) >= Figures(person, parameters, period).get("person.adult_age_years")
        return (grown & person("disabled_enough_to_apply_alone", period)
                & person.household("kept_by_relatives", period))


class family_income_allows(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "Income of the family lived with is within the limit for one of them to apply alone"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        figures = Figures(household, parameters, period)
        percent = figures.find(f"{RULE}.income_limit_percent")
        if percent is None:
            return np.zeros(household.count, dtype=bool)
        usual = _within(household, period, percent, figures.get(f"{RULE}.income_comparison"))
        kept_percent = figures.find(f"{RULE}.kept_disabled_income_limit_percent")
        if kept_percent is None:
            return usual
        comparison = figures.get(f"{RULE}.kept_disabled_income_comparison")
        kept = household.any(household.members("kept_though_grown_and_disabled", period))
        return usual | (kept & _within(household, period, kept_percent, comparison))


class may_apply_so(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "The whole household applies, or one person who may apply alone"

    def formula(household: Any, period: Any) -> Any:
        alone = household("applies_alone", period)
        allowed = ((household("members_count", period) == 1)
                   & household.any(household.members("may_apply_alone", period))
                   & household("family_income_allows", period))
        return ~alone | allowed


def _within(household: Any, period: Any, percent: int, comparison: str) -> Any:
    """Whether the family's income a head is within this share of the standard; compared as totals."""
    limit = household("dibao_standard_fen_month", period) * household("family_members_count", period)
    return below(comparison, household("family_income_fen_month", period), np.round(limit * percent / PERCENT, 6))
