"""Every fact of the vocabulary as an input variable of OpenFisca: made from evidence.yaml, so that none is left out."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

from contracts.facts import FACT_WORDS, HOUSEHOLD_FACTS, FactName
from services.rulebook.evidence import FactRule, fact_rules
from services.rulebook.openfisca import DAY, Enum, Household, Person, Variable

VALUE_TYPES: dict[str, Any] = {"date": date, "bool": bool, "fen": float, "count": int, "grade": int}


@cache
def words_of(name: FactName) -> Any:
    """The words of a fact as OpenFisca's enumeration: `words_of(FactName.SCHOOL_STAGE)["primary"]`."""
    return Enum(f"{name.value}_words", [(word.value, word.value) for word in FACT_WORDS[name]])


def inputs() -> list[Any]:
    """A variable class for each fact. Hazard: to OpenFisca an input not set is a default, never unknown."""
    return [_input(name, rule) for name, rule in fact_rules().items()]


def _input(name: FactName, rule: FactRule) -> Any:
    attributes: dict[str, Any] = {
        "entity": Household if name in HOUSEHOLD_FACTS else Person, "definition_period": DAY,
        "label": f"{rule.en} ({rule.zh})",
    }
    if rule.type == "word":
        words = words_of(name)
        attributes |= {"value_type": Enum, "possible_values": words, "default_value": next(iter(words))}
    else:
        attributes["value_type"] = VALUE_TYPES[rule.type]
    return type(name.value, (Variable,), attributes)
