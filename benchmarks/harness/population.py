"""A made-up low-income register, as large as one likes: who lives there, what they earn, what they receive."""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from typing import Any

import numpy as np

from contracts.benefits import Benefit
from contracts.facts import FACT_WORDS, HOUSEHOLD_FACTS, FactName
from services.rulebook.evidence import fact_rules
from services.rulebook.register import Register, as_array

OLDEST_BORN, YOUNGEST_BORN = np.datetime64("1930-01-01"), np.datetime64("2024-12-31")
WITHOUT_INCOME = 0.6
MOST_INCOME_FEN = 200_000
RURAL_SHARE = 0.7
RECEIVES_SHARE = 0.5


def a_register(households_count: int, persons_count: int, seed: int = 1) -> Register:
    """So many households of so many persons in all, everything known of them; the same for the same seed."""
    chance = np.random.default_rng(seed)
    sizes = np.ones(households_count, dtype=np.int64)
    np.add.at(sizes, chance.integers(0, households_count, persons_count - households_count), 1)
    facts = {name: _facts(name, households_count if name in HOUSEHOLD_FACTS else persons_count, chance)
             for name in FactName}
    facts[FactName.ALIVE] = np.ones(persons_count, dtype=bool)
    facts[FactName.APPLIES_ALONE] = np.zeros(households_count, dtype=bool)
    receives = {Benefit.DIBAO: chance.random(households_count) < RECEIVES_SHARE}
    return Register(sizes, facts, receives=receives)


def _facts(name: FactName, count: int, chance: np.random.Generator) -> Any:
    rule = fact_rules()[name]
    match rule.type:
        case "date":
            days = int((YOUNGEST_BORN - OLDEST_BORN) / np.timedelta64(1, "D"))
            return OLDEST_BORN + chance.integers(0, days, count).astype("timedelta64[D]")
        case "bool":
            return chance.random(count) < (0.9 if rule.worst is False and name == FactName.ASSETS_WITHIN_LOCAL_LIMIT
                                           else 0.2)
        case "fen":
            none = chance.random(count) < WITHOUT_INCOME
            return np.where(none, 0, chance.integers(0, MOST_INCOME_FEN, count))
        case "word":
            usual = as_array(name, [next(iter(FACT_WORDS[name]))])[0]
            if name == FactName.STANDARD:
                return (chance.random(count) < RURAL_SHARE).astype(np.int16)
            return np.where(chance.random(count) < 0.8, usual, chance.integers(0, len(FACT_WORDS[name]), count))
        case "grade":
            return np.where(chance.random(count) < 0.8, 0, chance.integers(0, 5, count))
        case "count":
            return np.where(chance.random(count) < 0.7, 0, chance.integers(0, 4, count))
