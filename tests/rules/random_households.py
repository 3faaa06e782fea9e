"""Households of any kind, their facts near the limits of the rules rather than anywhere."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

from contracts.benefits import Relation
from contracts.facts import FACT_WORDS, HOUSEHOLD_FACTS, FactName
from services.rulebook import HouseholdFacts, Member
from services.rulebook.evidence import fact_rules
from tests.rules.households import BAISHA, ON, a_fact, a_member


def a_random_value(name: FactName, chance: random.Random) -> Any:
    """Near the limits of the rules rather than anywhere."""
    match fact_rules()[name].type:
        case "date":
            return date(chance.choice([1940, 1955, 1965, 1990, 2008, 2020]), chance.randint(1, 12), 1)
        case "bool":
            return chance.random() < 0.8 if name in (FactName.ALIVE, FactName.ASSETS_WITHIN_LOCAL_LIMIT) \
                else chance.random() < 0.3
        case "word":
            return chance.choice(list(FACT_WORDS[name])).value
        case "grade":
            return chance.choice([0, 0, 1, 2, 3, 4])
        case "fen":
            return chance.choice([0, 0, chance.randint(0, 100_000), chance.randint(0, 10_000_000)])
        case "count":
            return chance.choice([0, 0, 1, 2, 3, 6, 40])


def a_random_household(chance: random.Random, key: str, known: float) -> HouseholdFacts:
    """Some of its facts unknown, some of its members dead."""
    members = [
        Member(person_id=a_member(f"{key} {number}").person_id,
               relation=chance.choice([Relation.OTHER, Relation.CHILD]),
               facts=[a_fact(name, a_random_value(name, chance)) for name in FactName
                      if name not in HOUSEHOLD_FACTS and chance.random() < known])
        for number in range(chance.choice([1, 1, 2, 3, 5]))
    ]
    facts = [a_fact(name, a_random_value(name, chance)) for name in FactName
             if name in HOUSEHOLD_FACTS and chance.random() < known]
    return HouseholdFacts(key=key, place=BAISHA, on=ON, members=members, facts=facts)
