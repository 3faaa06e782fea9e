"""Orphans (孤儿, 国办发〔2010〕54号) and children de facto without a guardian (事实无人抚养儿童, 民发〔2019〕62号)."""
# OpenFisca finds a variable by its class name, and calls a formula with the entity in place of `self`.
# pyright: reportSelfClsParameterName=false, reportUnknownVariableType=false, reportUnknownMemberType=false

from typing import Any

import numpy as np

from contracts.facts import FactName
from services.rulebook.facts_as_inputs import words_of
from services.rulebook.figures import Figures
from services.rulebook.openfisca import DAY, Person, Variable

LEFT_WITH = words_of(FactName.GUARDIANSHIP)


class orphan_due(Variable):
    value_type = bool
    entity = Person
    definition_period = DAY
    label = "An orphan under age"

    def formula(person: Any, period: Any, parameters: Any) -> Any:
        return _under_age(person, period, parameters, "orphan")


class orphan_fen_month(Variable):
    value_type = float
    entity = Person
    definition_period = DAY
    label = "An orphan's living allowance (孤儿基本生活费), fen a month: one sum, or by whether kept in an institution"

    def formula(person: Any, period: Any, parameters: Any) -> Any:
        of_place = _standard(person, period, Figures(person, parameters, period))
        return np.where(person("orphan_due", period), of_place, 0)


class de_facto_orphan_due(Variable):
    value_type = bool
    entity = Person
    definition_period = DAY
    label = "A child de facto without a guardian"

    def formula(person: Any, period: Any, parameters: Any) -> Any:
        return _under_age(person, period, parameters, "de_facto_orphan")


class de_facto_orphan_fen_month(Variable):
    value_type = float
    entity = Person
    definition_period = DAY
    label = "Living allowance of a child de facto without a guardian (事实无人抚养儿童基本生活补贴), fen a month"

    def formula(person: Any, period: Any, parameters: Any) -> Any:
        standard = Figures(person, parameters, period).get("de_facto_orphan.standard.all")
        return np.where(person("de_facto_orphan_due", period), standard, 0)


def _under_age(person: Any, period: Any, parameters: Any, left_as: str) -> Any:
    """Whether a person is left so, and young enough for the benefit of that name."""
    age_max = Figures(person, parameters, period).get(f"{left_as}.minor_under_age_years")
    return (person("guardianship", period) == LEFT_WITH[left_as]) & (person("age_years", period) < age_max)


def _standard(person: Any, period: Any, figures: Figures) -> Any:
    """What the place pays an orphan kept as each is."""
    alike = figures.find("orphan.standard.all")
    if alike is not None:
        return np.full(person.count, alike)
    return np.where(person("lives_in_institution", period), figures.get("orphan.standard.institution"),
                    figures.get("orphan.standard.dispersed"))
