"""The floor of the rulebook: a few of its benefits as one would write them for one place and day, without a rulebook.

Qinghai on 2025-03-01, its figures in the code: dibao, tekun and temporary assistance in NumPy over a register, and in
plain Python for one household. Every fact is taken as known.
"""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np

from contracts.facts import EmergencyCause, FactName
from services.rulebook.register import Register

PLACE, ON = "630102", date(2025, 3, 1)
URBAN_FEN, RURAL_FEN = 70_000, 567_600 / 12
TOP_UP_SHARE, OLD_YEARS, ADULT_YEARS, GRAVE_GRADE_MAX = 0.15, 60, 18, 2
TEKUN_FEN, CARE_FEN, CHILD_YEARS = 105_000, (34_000, 51_000, 85_000), 16
CAP_FEN, DISASTER_LEAST_FEN, DISASTER_MOST_FEN = 4_200_000, 200_000, 500_000
INCOMES = (FactName.WAGE, FactName.PENSION, FactName.BUSINESS_INCOME, FactName.PROPERTY_INCOME,
           FactName.TRANSFER_INCOME)


class NumpyRules:
    """Sums in fen of every household of a register."""

    def __init__(self, register: Register) -> None:
        self._register, self._facts = register, register.facts
        self._first = np.concatenate(([0], np.cumsum(register.sizes)[:-1]))
        self._household_of = np.repeat(np.arange(len(register.sizes)), register.sizes)
        self._standard = np.where(self._facts[FactName.STANDARD] == 0, URBAN_FEN, RURAL_FEN)
        self._own = sum(self._facts[name] for name in INCOMES)
        self._age = _age_years(self._facts[FactName.BORN_ON])

    def dibao(self) -> Any:
        """The difference, and the highest share of the standard for each person."""
        facts = self._facts
        income = np.maximum(np.add.reduceat(self._own, self._first) + facts[FactName.SUPPORT_INCOME]
                            - facts[FactName.RECOGNISED_EXPENSE], 0)
        limit = self._standard * self._register.sizes
        eligible = (income < limit) & facts[FactName.ASSETS_WITHIN_LOCAL_LIMIT] & ~facts[FactName.APPLIES_ALONE]
        grade = facts[FactName.DISABILITY_GRADE]
        due = ((self._age >= OLD_YEARS) | (self._age < ADULT_YEARS) | ((grade >= 1) & (grade <= GRAVE_GRADE_MAX))
               | facts[FactName.SERIOUS_ILLNESS])
        shares = np.where(due, np.floor(self._standard[self._household_of] * TOP_UP_SHARE + 0.5), 0)
        return np.where(eligible, np.floor(limit - income + 0.5) + np.add.reduceat(shares, self._first), 0)

    def tekun(self) -> Any:
        """The basic sum and care of each person."""
        facts = self._facts
        growing_up = (self._age < ADULT_YEARS) | facts[FactName.IN_FULL_TIME_EDUCATION]
        group = (self._age >= OLD_YEARS) | (self._age < CHILD_YEARS) | (
            facts[FactName.RECEIVES_TEKUN] & growing_up) | ~facts[FactName.ABLE_TO_WORK]
        poor = self._own < self._standard[self._household_of]
        eligible = (group & poor & ~facts[FactName.HAS_ABLE_SUPPORTER]
                    & facts[FactName.ASSETS_WITHIN_LOCAL_LIMIT][self._household_of])
        failed = facts[FactName.SELF_CARE_FAILED]
        care = np.select([failed >= 4, failed >= 1], [CARE_FEN[2], CARE_FEN[1]], CARE_FEN[0])
        return np.add.reduceat(np.where(eligible, TEKUN_FEN + care, 0), self._first)

    def temporary_assistance(self) -> Any:
        """Months of the urban standard a head up to the cap, the bereaved, and what the office set."""
        facts = self._facts
        cause = facts[FactName.EMERGENCY_CAUSE]
        words = list(EmergencyCause)
        of = {word: cause == words.index(word) for word in words}
        emergency = of[EmergencyCause.ILLNESS] | of[EmergencyCause.INJURY] | of[EmergencyCause.DISASTER] | of[
            EmergencyCause.OTHER]
        reckoned = URBAN_FEN * self._register.sizes * facts[FactName.EMERGENCY_MONTHS] * emergency
        bereaved = CAP_FEN * facts[FactName.BEREAVED] * of[EmergencyCause.DISASTER]
        found = facts[FactName.AMOUNT_FOUND]
        stated = ~of[EmergencyCause.NONE] & ~of[EmergencyCause.UNSTATED]
        individually = facts[FactName.DECIDED_INDIVIDUALLY] & stated
        panel = np.where(individually & (found > 0) & (reckoned > CAP_FEN), np.maximum(found, CAP_FEN), 0)
        struck = of[EmergencyCause.DISASTER] & (reckoned == 0)
        office = np.where((found > 0) & (reckoned == 0), np.maximum(found, DISASTER_LEAST_FEN * struck), 0)
        ceiling = np.where(struck, DISASTER_MOST_FEN, CAP_FEN)
        total = np.where(panel > 0, 0, np.minimum(reckoned, CAP_FEN)) + bereaved + office + panel
        within = (found <= ceiling) | (reckoned > 0) | individually
        return np.where(~of[EmergencyCause.NONE] & (total > 0) & within, total, 0)


def _age_years(born_on: Any) -> Any:
    day = np.datetime64(ON.isoformat())
    month_of = born_on.astype("datetime64[M]")
    years = ON.year - (born_on.astype("datetime64[Y]").astype(int) + 1970)
    month, day_of = month_of.astype(int) % 12 + 1, (born_on - month_of).astype(int) + 1
    return years - ((month > ON.month) | ((month == ON.month) & (day_of > int(str(day)[-2:]))))


def three_in_python(persons: list[dict[str, Any]], household: dict[str, Any]) -> tuple[int, int, int]:
    """Dibao, tekun and temporary assistance of one household, in fen."""
    standard = URBAN_FEN if household["standard"] == "urban" else RURAL_FEN
    own = [sum(person.get(name, 0) for name in INCOMES) for person in persons]
    ages = [ON.year - person["born_on"].year - ((ON.month, ON.day) < (person["born_on"].month, person["born_on"].day))
            for person in persons]
    income = max(sum(own) + household["support_income_fen_month"] - household.get("recognised_expense_fen_month", 0), 0)
    limit = standard * len(persons)
    dibao = 0
    if income < limit and household["assets_within_local_limit"]:
        due = sum(age >= OLD_YEARS or age < ADULT_YEARS or 1 <= person["disability_grade"] <= GRAVE_GRADE_MAX
                  or person["serious_illness"] for person, age in zip(persons, ages, strict=True))
        dibao = int(limit - income + 0.5) + due * int(standard * TOP_UP_SHARE + 0.5)
    tekun = 0
    for person, age, earned in zip(persons, ages, own, strict=True):
        group = age >= OLD_YEARS or age < CHILD_YEARS or not person["able_to_work"]
        if group and earned < standard and not person["has_able_supporter"] and household["assets_within_local_limit"]:
            failed = person["self_care_failed_items"]
            tekun += TEKUN_FEN + CARE_FEN[2 if failed >= 4 else 1 if failed >= 1 else 0]
    months = household.get("emergency_months", 0)
    return dibao, tekun, min(URBAN_FEN * len(persons) * months, CAP_FEN)


