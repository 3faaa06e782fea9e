"""Top-ups by category (分类重点救助, 分类施保): sums (Chongqing), or shares of the standard (Shaanxi, Qinghai).

Of several the highest is paid; a sum for any disability comes on top where the place says so.
"""
# OpenFisca finds a variable by its class name, and calls a formula with the entity in place of `self`.
# pyright: reportSelfClsParameterName=false, reportUnknownVariableType=false, reportUnknownMemberType=false

from typing import Any

import numpy as np

from services.rulebook.figures import FEN_PER_YUAN, PERCENT, Figures, half_up
from services.rulebook.openfisca import DAY, Person, Variable


class grave_or_elderly_fen_month(Variable):
    value_type = float
    entity = Person
    definition_period = DAY
    label = "Sum due for grave disability, serious illness or old age, before the higher is chosen"

    def formula(person: Any, period: Any, parameters: Any) -> Any:
        figures = Figures(person, parameters, period)
        sum_fen = figures.find("dibao.top_up.grave_or_elderly")
        if sum_fen is None:
            return _nothing(person)
        elderly = person("age_years", period) >= figures.get("dibao.top_up.elderly_age_years")
        return np.where(person("gravely_disabled", period) | elderly | person("serious_illness", period), sum_fen, 0)


class preschool_or_student_fen_month(Variable):
    value_type = float
    entity = Person
    definition_period = DAY
    label = "Sum due for a preschool child or a student, before the higher is chosen"

    def formula(person: Any, period: Any, parameters: Any) -> Any:
        figures = Figures(person, parameters, period)
        sum_fen = figures.find("dibao.top_up.preschool_or_student")
        if sum_fen is None:
            return _nothing(person)
        preschool = person("age_years", period) < figures.get("person.school_age_years")
        return np.where(preschool | person("in_full_time_education", period), sum_fen, 0)


class top_up_share_percent(Variable):
    value_type = int
    entity = Person
    definition_period = DAY
    label = "Highest share of the standard due for age, disability or illness, percent"

    def formula(person: Any, period: Any, parameters: Any) -> Any:
        figures = Figures(person, parameters, period)
        shares = {name: figures.find(f"dibao.top_up.{name}_percent") for name in ("elderly", "minor", "grave")}
        highest = np.zeros(person.count, dtype=int)
        if shares["elderly"] is not None:
            old = person("age_years", period) >= figures.get("dibao.top_up.elderly_age_years")
            highest = np.maximum(highest, np.where(old, shares["elderly"], 0))
        if shares["minor"] is not None:
            young = person("age_years", period) < figures.get("dibao.top_up.minor_under_age_years")
            highest = np.maximum(highest, np.where(young, shares["minor"], 0))
        if shares["grave"] is not None:
            grave = person("gravely_disabled", period) | person("serious_illness", period)
            highest = np.maximum(highest, np.where(grave, shares["grave"], 0))
        return highest


class top_up_share_fen_month(Variable):
    value_type = float
    entity = Person
    definition_period = DAY
    label = "Top-up paid as a share of the standard, fen a month; rounded as the place says, else to the fen"

    def formula(person: Any, period: Any, parameters: Any) -> Any:
        rounding = Figures(person, parameters, period).find("dibao.top_up.rounding")
        share = person.household("dibao_standard_fen_month", period) * person("top_up_share_percent", period) / PERCENT
        rounded = half_up(share, FEN_PER_YUAN if rounding == "half_up_to_yuan" else 1)
        return np.where(person.household("dibao_eligible", period), rounded, 0)


class top_up_disabled_fen_month(Variable):
    value_type = float
    entity = Person
    definition_period = DAY
    label = "Top-up paid for a disability of any grade, also beside another, fen a month"

    def formula(person: Any, period: Any, parameters: Any) -> Any:
        sum_fen = Figures(person, parameters, period).find("dibao.top_up.disabled")
        if sum_fen is None:
            return _nothing(person)
        due = person.household("dibao_eligible", period) & (person("disability_grade", period) >= 1)
        return np.where(due, sum_fen, 0)


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


def _nothing(person: Any) -> Any:
    """The place has no such top-up."""
    return np.zeros(person.count)
