"""Temporary assistance (临时救助): the sum, and who decides it (社会救助暂行办法 47-49, 民发〔2018〕23号).

Where a place's formula of an emergency (急难型) was read the sum is reckoned. Everywhere else, and for expense-driven
need (支出型), the office sets it, and the rule checks it against what the place says: at least so much, at most so
much. What a panel or the county decided individually (一事一议) is beyond class, threshold and ceiling.
"""
# OpenFisca finds a variable by its class name, and calls a formula with the entity in place of `self`.
# pyright: reportSelfClsParameterName=false, reportUnknownVariableType=false, reportUnknownMemberType=false

from collections.abc import Iterator
from typing import Any

import numpy as np

from contracts.facts import FactName
from services.rulebook.facts_as_inputs import words_of
from services.rulebook.figures import Figures
from services.rulebook.openfisca import DAY, Household, Variable

CAUSES = words_of(FactName.EMERGENCY_CAUSE)
CAP = "temporary_assistance.cap"
BY_MONTHS = "standard_times_persons_times_months"
EMERGENCY, DISASTER = "temporary_assistance.emergency", "temporary_assistance.disaster"


class is_emergency(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "What happened is an emergency (急难型), not an expense (支出型)"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        causes = Figures(household, parameters, period).get(f"{EMERGENCY}.causes")
        return np.isin(np.asarray(household("emergency_cause", period)), [CAUSES[name].index for name in causes])


class urban_dibao_fen_month(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "The urban standard by which emergencies are reckoned, fen a month; 0 where it is not known"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        figures = Figures(household, parameters, period)
        return np.full(household.count, figures.find_or_finding("dibao.standard.urban") or 0)


class individual_decision(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "A panel or the county decided it individually (一事一议), for a cause that is stated"

    def formula(household: Any, period: Any) -> Any:
        return household("decided_individually", period) & _stated(household, period)


class reckoned_fen(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "Urban standard × persons × months found, before any cap; nothing where no such formula was read, fen"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        figures = Figures(household, parameters, period)
        by_months = figures.find_or_finding(f"{EMERGENCY}.formula") == BY_MONTHS
        if not by_months or figures.find_or_finding("dibao.standard.urban") is None:
            return np.zeros(household.count)
        return (household("urban_dibao_fen_month", period) * household("members_count", period)
                * household("emergency_months", period) * household("is_emergency", period))


class emergency_formula_fen(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "What is reckoned, at most the cap; nothing where a panel set a sum because the cap was not enough, fen"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        reckoned = household("reckoned_fen", period)
        cap = Figures(household, parameters, period).find_or_finding(CAP)
        capped = reckoned if cap is None else np.minimum(reckoned, cap)
        return np.where(household("panel_sum_fen", period) > 0, 0, capped)


class panel_sum_fen(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "What a panel set where the cap of the formula was not enough, and at least that cap, fen"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        cap = Figures(household, parameters, period).find_or_finding(CAP)
        if cap is None:
            return np.zeros(household.count)
        found = household("amount_fen", period)
        decided = household("individual_decision", period) & (found > 0)
        return np.where(decided & (household("reckoned_fen", period) > cap), np.maximum(found, cap), 0)


class bereaved_fen(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "For each member lost in a disaster, fen"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        each = Figures(household, parameters, period).find_or_finding(f"{DISASTER}.bereaved")
        if each is None:
            return np.zeros(household.count)
        # Hazard: counts are of 32 bits; for a thousand, the better end of an unknown count, fen would be negative.
        return float(each) * household("bereaved_count", period) * _struck_by_disaster(household, period)


class assistance_floor_fen(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "The least that may be given, fen; 0 where the place says none"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        figures = Figures(household, parameters, period)
        floor = household("class_floor_fen", period)
        for path, applies in _of_household(household, period):
            least = figures.find_or_finding(f"{path}.household_min")
            if least is not None:
                floor = np.maximum(floor, least * applies)
        return floor


class assistance_ceiling_fen(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "The most that may be given without a panel, fen; 0 where none is known"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        figures = Figures(household, parameters, period)
        by_class = household("class_ceiling_fen", period)
        lowest = np.where(by_class > 0, by_class, np.inf)
        for path, applies in _of_household(household, period):
            most = figures.find_or_finding(f"{path}.household_max")
            if most is not None:
                lowest = np.where(applies, np.minimum(lowest, most), lowest)
        months = figures.find_or_finding(f"{EMERGENCY}.months_of_standard_max")
        if months is not None:
            limit = household("dibao_limit_fen_month", period) * months
            bound = household("is_emergency", period) | _unstated(household, period)
            lowest = np.where(bound, np.minimum(lowest, limit), lowest)
        cap = figures.find_or_finding(CAP)
        if cap is not None:
            lowest = np.minimum(lowest, cap)
        return np.where(np.isinf(lowest), 0, lowest)


class office_sum_fen(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "The sum the office set, where none is reckoned, raised to the least that may be given, fen"

    def formula(household: Any, period: Any) -> Any:
        found, least = household("amount_fen", period), household("assistance_floor_fen", period)
        return np.where((found > 0) & (household("reckoned_fen", period) == 0), np.maximum(found, least), 0)


class assistance_needed(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "Something happened, and a sum is reckoned or set for it"

    def formula(household: Any, period: Any) -> Any:
        return (household("emergency_cause", period) != CAUSES["none"]) & (_sum_fen(household, period) > 0)


class assistance_first_time(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "Not helped for the same cause in this calendar year, where the place helps only once"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        if not Figures(household, parameters, period).find("temporary_assistance.once_per_cause_and_year"):
            return np.ones(household.count, dtype=bool)
        return ~(household("helped_for_same_cause_this_year", period) & _stated(household, period))


class assistance_within_ceiling(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "The sum set is not above the ceiling; above it a panel decides (一事一议)"

    def formula(household: Any, period: Any) -> Any:
        ceiling = household("assistance_ceiling_fen", period)
        return ((household("amount_fen", period) <= ceiling) | (ceiling == 0)
                | (household("reckoned_fen", period) > 0) | household("individual_decision", period))


class temporary_assistance_due(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "In need, not helped for it before, within the classes and the ceiling of the place"

    def formula(household: Any, period: Any) -> Any:
        return (household("assistance_needed", period) & household("assistance_first_time", period)
                & household("assistance_class_decides", period) & household("own_cost_counts", period)
                & household("assistance_within_ceiling", period))


class temporary_assistance_fen(Variable):
    value_type = float
    entity = Household
    definition_period = DAY
    label = "The sum given once, fen"

    def formula(household: Any, period: Any) -> Any:
        return np.where(household("temporary_assistance_due", period), _sum_fen(household, period), 0)


class temporary_assistance_county_decides(Variable):
    value_type = bool
    entity = Household
    definition_period = DAY
    label = "Above what the town decides; everything, where no limit of the town was read"

    def formula(household: Any, period: Any, parameters: Any) -> Any:
        figures = Figures(household, parameters, period)
        limit = figures.find_or_finding("temporary_assistance.town_limit")
        if limit is None:
            months = figures.find_or_finding("temporary_assistance.town_limit_months_of_standard")
            if months is None:
                return np.ones(household.count, dtype=bool)
            limit = months * household("dibao_standard_fen_month", period)
        return household("temporary_assistance_fen", period) > limit


def _of_household(household: Any, period: Any) -> Iterator[tuple[str, Any]]:
    """The groups of figures a household, and to whom they apply: what is reckoned by months stands in their place."""
    reckoned = household("reckoned_fen", period) > 0
    yield EMERGENCY, (household("is_emergency", period) | _unstated(household, period)) & ~reckoned
    yield DISASTER, _struck_by_disaster(household, period) & ~reckoned


def _stated(household: Any, period: Any) -> Any:
    cause = household("emergency_cause", period)
    return (cause != CAUSES["none"]) & (cause != CAUSES["unstated"])


def _unstated(household: Any, period: Any) -> Any:
    """Hazard: whoever leaves the cause open must not be bound by less than whoever states it."""
    return household("emergency_cause", period) == CAUSES["unstated"]


def _struck_by_disaster(household: Any, period: Any) -> Any:
    return household("emergency_cause", period) == CAUSES["disaster"]


def _sum_fen(household: Any, period: Any) -> Any:
    return (household("emergency_formula_fen", period) + household("bereaved_fen", period)
            + household("office_sum_fen", period) + household("panel_sum_fen", period))
