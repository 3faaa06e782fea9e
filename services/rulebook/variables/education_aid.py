"""Education aid a school term (教育救助, 学生资助), and the grant to those entering a university (新生入学资助)."""
# OpenFisca finds a variable by its class name, and calls a formula with the entity in place of `self`.
# pyright: reportSelfClsParameterName=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

from typing import Any

import numpy as np

from contracts.facts import FactName
from services.rulebook.facts_as_inputs import words_of
from services.rulebook.figures import Figures
from services.rulebook.openfisca import DAY, Household, Person, Variable
from services.rulebook.variables.recognised import recognised_as

STAGES = words_of(FactName.SCHOOL_STAGE)
CLASSES = words_of(FactName.SENIOR_GRANT_CLASS)
ENTRANCES = words_of(FactName.UNIVERSITY_ENTRANCE)


class education_aid_recognised(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "Recognised as one of the groups whose children are helped at school"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        return recognised_as(household, period, Figures(household, parameters, period).get("education_aid.groups"))


class school_stage_fen_term(Variable):
    value_type = float
    entity = Person
    definition_period = DAY
    label = "Living support of a pupil's stage of school, whoever's child it is, fen a term"

    def formula(person: Any, period: Any, parameters: Any) -> Any:
        figures = Figures(person, parameters, period)
        stage, boards = person("school_stage", period), person("boards_at_school", period)
        senior_class = person("senior_grant_class", period)
        sums = [
            (stage == STAGES["preschool"], "preschool"),
            ((stage == STAGES["primary"]) & boards, "boarder.primary"),
            ((stage == STAGES["primary"]) & ~boards, "day_pupil.primary"),
            ((stage == STAGES["middle"]) & boards, "boarder.middle"),
            ((stage == STAGES["middle"]) & ~boards, "day_pupil.middle"),
            ((stage == STAGES["senior"]) & (senior_class == CLASSES["higher"]), "senior.first_class"),
            ((stage == STAGES["senior"]) & (senior_class == CLASSES["lower"]), "senior.second_class"),
        ]
        support = np.select([of_whom for of_whom, _ in sums],
                            [figures.get(f"education_aid.{name}") for _, name in sums], 0)
        return np.where(person("in_full_time_education", period), support, 0)


class school_stage_helped(Variable):
    value_type = bool
    entity = Person
    definition_period = DAY
    label = "At a stage of school that is helped"

    def formula(person: Any, period: Any) -> Any:
        return person("school_stage_fen_term", period) > 0


class education_living_fen_term(Variable):
    value_type = float
    entity = Person
    definition_period = DAY
    label = "Living support (生活补助, 助学金), fen a term"

    def formula(person: Any, period: Any) -> Any:
        recognised = person.household("education_aid_recognised", period)
        return np.where(recognised, person("school_stage_fen_term", period), 0)


class education_meals_fen_term(Variable):
    value_type = float
    entity = Person
    definition_period = DAY
    label = "Support for the meals of primary and middle pupils, paid to the school's kitchen, fen a term"

    def formula(person: Any, period: Any, parameters: Any) -> Any:
        stage = person("school_stage", period)
        eats = person("in_full_time_education", period) & (
            (stage == STAGES["primary"]) | (stage == STAGES["middle"]))
        meals = Figures(person, parameters, period).get("education_aid.meals")
        return np.where(person.household("education_aid_recognised", period) & eats, meals, 0)


class education_aid_fen_term(Variable):
    value_type = float
    entity = Person
    definition_period = DAY
    label = "Education aid of a pupil, fen a term"

    def formula(person: Any, period: Any) -> Any:
        return person("education_living_fen_term", period) + person("education_meals_fen_term", period)


class education_aid_due(Variable):
    value_type = bool
    entity = Person
    definition_period = DAY
    label = "Education aid is due"

    def formula(person: Any, period: Any) -> Any:
        return person("education_aid_fen_term", period) > 0


class university_grant_recognised(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "Recognised as one of the groups whose university entrants are helped"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        groups = Figures(household, parameters, period).get("education_aid.university_entrant.groups")
        return recognised_as(household, period, groups)


class enters_university(Variable):
    value_type = bool
    entity = Person
    definition_period = DAY
    label = "Enters a university this year, in the province or outside"

    def formula(person: Any, period: Any) -> Any:
        # Who is not in education enters none, by the vocabulary; the letter of admission says which it is.
        enters = person("university_entrance", period) != ENTRANCES["none"]
        return person("in_full_time_education", period) & enters


class university_grant_fen(Variable):
    value_type = float
    entity = Person
    definition_period = DAY
    label = "Paid once to a university entrant, fen"

    def formula(person: Any, period: Any, parameters: Any) -> Any:
        figures = Figures(person, parameters, period)
        inside: Any = person("university_entrance", period) == ENTRANCES["inside_province"]
        grant: Any = np.where(inside, figures.get("education_aid.university_entrant.inside_province"),
                         figures.get("education_aid.university_entrant.outside_province"))
        due = person("enters_university", period) & person.household("university_grant_recognised", period)
        return np.where(due, grant, 0)


class university_grant_due(Variable):
    value_type = bool
    entity = Person
    definition_period = DAY
    label = "The university grant is due"

    def formula(person: Any, period: Any) -> Any:
        return person("university_grant_fen", period) > 0
