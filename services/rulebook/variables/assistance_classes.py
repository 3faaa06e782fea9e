"""Classes of temporary assistance (渝民发〔2017〕60号): A tekun and orphans, B dibao, C up to twice dibao, D the rest.

A place without such classes has none of these rules, and reads none of these facts.
"""
# OpenFisca finds a variable by its class name, and calls a formula with the entity in place of `self`.
# pyright: reportSelfClsParameterName=false, reportUnknownVariableType=false, reportUnknownMemberType=false

from typing import Any

import numpy as np

from contracts.facts import FactName
from services.rulebook.facts_as_inputs import words_of
from services.rulebook.figures import PERCENT, Figures, below, half_up
from services.rulebook.openfisca import DAY, Household, Variable

CAUSES, GROUPS = words_of(FactName.EMERGENCY_CAUSE), words_of(FactName.ASSISTANCE_GROUP)
RULE = "temporary_assistance"
WITH_FIGURES = ("class_a", "class_b", "class_c")
CLASS_D = 4


class assistance_class(Variable):
    value_type = int
    entity = Household
    definition_period = DAY
    label = "Class: 1 (A) to 4 (D); 0 where the place has none, or no cause was stated"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        figures = Figures(household, parameters, period)
        if _no_classes(figures):
            return np.zeros(household.count, dtype=int)
        cause, group = household("emergency_cause", period), np.asarray(household("assistance_group", period))
        in_a, in_b = (np.isin(group, [GROUPS[name].index for name in figures.get(f"{RULE}.{letter}.groups")])
                      for letter in ("class_a", "class_b"))
        limit = np.round(household("dibao_limit_fen_month", period)
                         * figures.get(f"{RULE}.class_c.income_limit_percent") / PERCENT, 6)
        in_c = below(figures.get(f"{RULE}.class_c.income_comparison"), household("income_found_fen_month", period),
                     limit)
        stated = (cause != CAUSES["none"]) & (cause != CAUSES["unstated"])
        return np.where(stated, np.select([in_a, in_b, in_c], [1, 2, 3], CLASS_D), 0)


class assistance_class_decides(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "The city's rule has a sum for the class; what class D gets the district decides"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        if _no_classes(Figures(household, parameters, period)):
            return np.ones(household.count, dtype=bool)
        return (household("assistance_class", period) != CLASS_D) | household("individual_decision", period)


class own_cost_threshold_fen(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "Own cost of an illness counts above this sum, fen; 0 where nothing is asked of it"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        ill = household("emergency_cause", period) == CAUSES["illness"]
        return ill * _of_class(household, period, parameters, "illness", "own_cost_over")


class own_cost_counted_fen(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "The part of the own cost of an illness above the threshold of the class, fen"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        threshold = household("own_cost_threshold_fen", period)
        if _no_classes(Figures(household, parameters, period)):
            return threshold
        return np.where(threshold > 0, np.maximum(household("own_cost_fen", period) - threshold, 0), 0)


class own_cost_counts(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "The own cost of an illness is above the threshold of the class"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        if _no_classes(Figures(household, parameters, period)):
            return np.ones(household.count, dtype=bool)
        return ((household("own_cost_threshold_fen", period) == 0) | (household("own_cost_counted_fen", period) > 0)
                | household("individual_decision", period))


class class_floor_fen(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "The least of the class: a share of the own cost of an illness, or a sum for a university entrant, fen"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        share = (household("own_cost_counted_fen", period)
                 * _of_class(household, period, parameters, "illness", "rate_percent_min") / PERCENT)
        of_illness = np.minimum(half_up(share), _of_class(household, period, parameters, "illness", "cap"))
        entrant = household("emergency_cause", period) == CAUSES["university"]
        of_entrant = entrant * _of_class(household, period, parameters, "university_entrant", "amount_min")
        return np.maximum(of_illness, of_entrant)


class class_ceiling_fen(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "The most of the class: a share of the own cost and a cap, or months of the urban standard, fen; 0: none"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        share = (household("own_cost_counted_fen", period)
                 * _of_class(household, period, parameters, "illness", "rate_percent_max", PERCENT) / PERCENT)
        of_illness = np.minimum(half_up(share), _of_class(household, period, parameters, "illness", "cap"))
        cause = household("emergency_cause", period)
        hurt = (cause == CAUSES["injury"]) | (cause == CAUSES["disaster"])
        months = _of_class(household, period, parameters, "injury", "months_of_standard_max")
        of_hurt = hurt * months * household("urban_dibao_fen_month", period) * household("members_count", period)
        return np.maximum(of_illness, of_hurt)


def _no_classes(figures: Figures) -> bool:
    return figures.find_or_finding(f"{RULE}.class_a.groups") is None


def _of_class(household: Any, period: Any, parameters: Any, what: str, name: str, default: int = 0) -> Any:
    """The figure of each household's class; `default` where its class has none, 0 where it is of no class."""
    figures = Figures(household, parameters, period)
    if _no_classes(figures):
        return np.zeros(household.count)
    known = [figures.find_or_finding(f"{RULE}.{what}.{letter}.{name}") for letter in WITH_FIGURES]
    chosen = household("assistance_class", period)
    return np.select([chosen == number for number in (1, 2, 3)],
                     [default if figure is None else figure for figure in known], 0)
