"""Tekun (特困人员救助供养, 社会救助暂行办法 14, 15; 特困人员认定办法).

Each person is looked at alone, and paid a basic sum, and care by what one cannot do oneself.
"""
# OpenFisca finds a variable by its class name, and calls a formula with the entity in place of `self`.
# pyright: reportSelfClsParameterName=false, reportUnknownVariableType=false, reportUnknownMemberType=false

from typing import Any

import numpy as np

from services.rulebook.figures import Figures, below, half_up
from services.rulebook.openfisca import DAY, Household, Person, Variable


class tekun_group(Variable):
    value_type = bool
    entity = Person
    definition_period = DAY
    label = "Old, a child, or unable to work (老年人、未成年人、无劳动能力)"

    def formula(person: Any, period: Any, parameters: Any) -> Any:
        figures, age = Figures(person, parameters, period), person("age_years", period)
        old = age >= _old_from_years(person, period, figures)
        child = age < figures.get("tekun.minor_under_age_years")
        # Whoever was taken in as a child stays to the end of youth, and of school.
        growing_up = (age < figures.get("tekun.kept_until_age_years")) | person("in_full_time_education", period)
        return old | child | (person("receives_tekun", period) & growing_up) | ~person("able_to_work", period)


class tekun_without_supporter(Variable):
    value_type = bool
    entity = Person
    definition_period = DAY
    label = "Nobody bound by law to support the person is able to (无具备能力的法定义务人)"

    def formula(person: Any, period: Any) -> Any:
        return ~person("has_able_supporter", period)


class tekun_without_income(Variable):
    value_type = bool
    entity = Person
    definition_period = DAY
    label = "Own income is below the local dibao standard (无生活来源)"

    def formula(person: Any, period: Any, parameters: Any) -> Any:
        # The basic pension that the nation pays is left out of this income; it is no fact apart from other pensions,
        # and no sum of it was found: the whole pension counts.
        return below(Figures(person, parameters, period).get("tekun.income_comparison"),
                     person("person_income_fen_month", period),
                     person.household("dibao_standard_fen_month", period))


class tekun_assets_allowed(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "Assets are within the place's limit for tekun, which no place's rule was found for: an officer's finding"

    def formula(household: Any, period: Any) -> Any:
        return household("assets_within_local_limit", period)


class tekun_by_one_person(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "One person meets every condition; also true while one of them is met by nobody, which is then the reason"

    def formula(household: Any, period: Any) -> Any:
        group, alone, poor = (household.members(name, period) for name in
                              ("tekun_group", "tekun_without_supporter", "tekun_without_income"))
        each_by_somebody = household.any(group) & household.any(alone) & household.any(poor)
        return household.any(group & alone & poor) | ~each_by_somebody


class tekun_eligible(Variable):
    value_type = bool
    entity = Person
    definition_period = DAY
    label = "Old, a child or unable to work, with neither support nor income, assets within the limit"

    def formula(person: Any, period: Any) -> Any:
        return (person("tekun_group", period) & person("tekun_without_supporter", period)
                & person("tekun_without_income", period) & person.household("tekun_assets_allowed", period))


class tekun_basic_fen_month(Variable):
    value_type = float
    entity = Person
    definition_period = DAY
    label = "Basic living sum (基本生活费), fen a month; of a yearly sum the twelfth, rounded to the fen, halves up"

    def formula(person: Any, period: Any, parameters: Any) -> Any:
        figures = Figures(person, parameters, period)
        alike = figures.find_published("tekun.standard.all")
        standard = _by_standard(person, period, figures) if alike is None else np.full(person.count, alike)
        return np.where(person("tekun_eligible", period), half_up(standard), 0)


class tekun_care_fen_month(Variable):
    value_type = float
    entity = Person
    definition_period = DAY
    label = "Care (照料护理费) by the self-care items failed, fen a month; nothing for the able where none is published"

    def formula(person: Any, period: Any, parameters: Any) -> Any:
        figures, failed = Figures(person, parameters, period), person("self_care_failed_items", period)
        care = np.select(
            [failed >= figures.get(f"tekun.self_care.{ability}_from_failed") for ability in ("unable", "partly")],
            [figures.get(f"tekun.care.{ability}") for ability in ("unable", "partly")],
            figures.find("tekun.care.able") or 0)
        return np.where(person("tekun_eligible", period), care, 0)


class tekun_fen_month(Variable):
    value_type = float
    entity = Person
    definition_period = DAY
    label = "What a person in tekun is paid, fen a month"

    def formula(person: Any, period: Any) -> Any:
        return person("tekun_basic_fen_month", period) + person("tekun_care_fen_month", period)


def _old_from_years(person: Any, period: Any, figures: Figures) -> Any:
    """Earlier in areas of class five, where the place says so; which areas those are is a finding."""
    usual, there = figures.get("tekun.elderly_age_years"), figures.find("tekun.elderly_age_years_class_five_areas")
    return usual if there is None else np.where(person.household("class_five_area", period), there, usual)


def _by_standard(person: Any, period: Any, figures: Figures) -> Any:
    """The sum of each person where town and country differ. Only those that occur must be known."""
    urban = person.household("urban_standard", period)
    of_town = figures.fen_month("tekun.standard.urban") if urban.any() else 0
    if urban.all():
        return np.full(person.count, of_town)
    of_country = figures.find_published("tekun.standard.rural")
    if of_country is None:
        of_country = np.where(person("lives_in_institution", period),
                              figures.fen_month("tekun.standard.rural_institution"),
                              figures.fen_month("tekun.standard.rural_dispersed"))
    return np.where(urban, of_town, of_country)
