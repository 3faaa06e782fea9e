"""A register of households as arrays, for screening."""
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from contracts.benefits import Benefit
from contracts.facts import FACT_WORDS, HOUSEHOLD_FACTS, FactName, FactValue
from services.rulebook.evidence import fact_rules, known_household, nothing
from services.rulebook.models import HouseholdFacts

Array = Any


@dataclass
class Register:
    """Households and their living members: the members of the first household first, then of the second, …

    `facts`: an array with a value for each member, or for each household; words as their position in the vocabulary.
    `unknown`: for a fact, where it is not known; one that is not here is known of everybody. `receives`: for a benefit,
    which households receive it now. Raises ValueError, naming the array.
    """

    sizes: Array
    facts: dict[FactName, Array]
    unknown: dict[FactName, Array] = field(default_factory=dict[FactName, Array])
    receives: dict[Benefit, Array] = field(default_factory=dict[Benefit, Array])
    is_checked: bool = field(default=False, repr=False)

    def __post_init__(self) -> None:
        self.sizes = np.asarray(self.sizes)
        if not len(self.sizes) or self.sizes.min() < 1:
            raise ValueError("sizes: every household has a member. Leave out the empty ones.")
        self._first = np.concatenate(([0], np.cumsum(self.sizes)[:-1]))
        if not self.is_checked:
            self._check()

    def _check(self) -> None:
        for name, array in (*self.facts.items(), *self.unknown.items()):
            wanted = len(self.sizes) if name in HOUSEHOLD_FACTS else int(self.sizes.sum())
            if len(array) != wanted:
                raise ValueError(f"{name}: {len(array)} values for {wanted}. Give one for each.")
        for name, array in self.facts.items():
            if fact_rules()[name].type in ("fen", "count", "grade") and array.min() < 0:
                raise ValueError(f"{name}: a value below zero. Sums and counts begin at 0.")
        for code, array in self.receives.items():
            if len(array) != len(self.sizes):
                raise ValueError(f"receives {code}: {len(array)} values for {len(self.sizes)}. Give one for each.")

    def parts(self, households_count: int) -> Iterator[Register]:
        """The register in parts of so many households, without what they receive."""
        for start in range(0, len(self.sizes), households_count):
            end = start + households_count
            last = int(self._first[end]) if end < len(self.sizes) else None
            yield self._some(slice(start, end), slice(int(self._first[start]), last), self.facts.keys())

    def of(self, households: Array, names: Collection[FactName]) -> Register:
        """Those households for which the mask is true and these facts of theirs, without what they receive."""
        return self._some(households, np.repeat(households, self.sizes), names)

    def _some(self, households: Array, persons: Array, names: Collection[FactName]) -> Register:
        def chosen(arrays: dict[FactName, Array]) -> dict[FactName, Array]:
            return {name: array[households if name in HOUSEHOLD_FACTS else persons]
                    for name, array in arrays.items() if name in names}

        return Register(self.sizes[households], chosen(self.facts), chosen(self.unknown), is_checked=True)

    def sum_of(self, of_persons: Array) -> Array:
        """The sum of each household's members."""
        return np.add.reduceat(of_persons, self._first)

    def any_of(self, of_persons: Array) -> Array:
        """Whether it holds for a member of each household."""
        return np.logical_or.reduceat(of_persons, self._first)

    def any_unknown(self, names: Collection[FactName]) -> Array:
        """In which households one of these facts is unknown."""
        unknown = np.zeros(len(self.sizes), dtype=bool)
        for name in names & self.unknown.keys():
            unknown |= self.unknown[name] if name in HOUSEHOLD_FACTS else self.any_of(self.unknown[name])
        return unknown


def register_of(households: Sequence[HouseholdFacts]) -> tuple[Register, Array]:
    """Households as a register, by the evidence that counts; and which of them they are, for the dead leave no row.

    Raises ValueError for a person who is in it twice.
    """
    persons = Counter(member.person_id for household in households for member in household.members)
    if twice := [person_id for person_id, count in persons.items() if count > 1]:
        raise ValueError(f"members: person {twice[0]} is in two households. Name each person in one.")
    known = [known_household(household) for household in households]
    there = [index for index, household in enumerate(known) if household.members]
    members = [member for index in there for member in known[index].members]
    facts: dict[FactName, Array] = {}
    unknown: dict[FactName, Array] = {}
    for name in FactName:
        told: list[FactValue | None]
        if name in HOUSEHOLD_FACTS:
            told = [known[index].values.get(name) for index in there]
        else:
            told = [member.values.get(name) for member in members]
        facts[name] = as_array(name, told)
        unknown[name] = np.array([value is None for value in told])
    sizes = [len(known[index].members) for index in there]
    return Register(np.array(sizes), facts, unknown), np.array(there)


def as_array(name: FactName, told: Sequence[FactValue | None]) -> Array:
    """The values of a fact as a register has them; what is None stands for nothing."""
    kind = fact_rules()[name].type
    values = [nothing(name) if value is None else value for value in told]
    if kind == "word":
        words = [word.value for word in FACT_WORDS[name]]
        values = [words.index(str(value)) if isinstance(value, str) else value for value in values]
    return np.array(values, dtype="datetime64[D]" if kind == "date" else None)


