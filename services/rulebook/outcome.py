"""Three answers from a calculation: granted, refused, or not to be told yet. Unknown is never a default.

A fact that is unknown but bounded (evidence.yaml: best, worst) is reckoned at both ends. Where both give one answer it
is that answer; where they do not, or where an unknown fact has no bounds, nobody can tell yet.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from contracts.facts import HOUSEHOLD_FACTS, FactName, FactValue
from services.rulebook.benefit_rules import BenefitRule
from services.rulebook.evidence import KnownHousehold, KnownMember, Reads, fact_rules, nothing
from services.rulebook.models import MissingFact
from services.rulebook.simulation import Result

Outcome = Literal["grant", "refuse", "evidence_missing"]
End = Literal["best", "worst"]
NEVER_BOUNDED = {FactName.ALIVE, FactName.BORN_ON, FactName.STANDARD}
"""Who counts, who is asked as an adult, and which rules hold: without these nothing is reckoned."""



@dataclass(frozen=True)
class Ends:
    """The calculation with every unknown fact at its better end, and that with every one at its worse."""

    better: Result
    worse: Result


def tell(benefit: BenefitRule, ends: Ends, missing: Sequence[MissingFact], proofs: Collection[FactName]) -> Outcome:
    """What can be told. Nothing is granted before what the place wants proved (`proofs`) is known."""
    if not granted(benefit, ends.better):
        return "refuse"
    unproved = [fact for fact in missing if fact.name in proofs]
    same = granted(benefit, ends.worse) and _parts(benefit, ends.better) == _parts(benefit, ends.worse)
    return "grant" if same and not unproved else "evidence_missing"


def _parts(benefit: BenefitRule, result: Result) -> list[object]:
    """Everything of a result that is given: the sum and its parts, and whose signature it needs."""
    return [(name, result.household.get(name), [person.get(name) for person in result.persons])
            for name in benefit.given]


def granted(benefit: BenefitRule, result: Result) -> bool:
    """Whether the household is granted it; of what is given to persons, one of them at least."""
    if benefit.granted in result.household:
        return bool(result.household[benefit.granted])
    return any(person[benefit.granted] for person in result.persons)


def amount_fen(benefit: BenefitRule, result: Result) -> int | None:
    """The household's sum; None where no money is given. Raises ArithmeticError where it is not whole fen."""
    if benefit.amount is None:
        return None
    total = (result.household[benefit.amount] if benefit.amount in result.household
             else sum(person[benefit.amount] for person in result.persons))
    if not isinstance(total, int):
        raise ArithmeticError(f"Variable {benefit.amount}: {total} is no whole number of fen. Round it in its formula.")
    return total


def reckonable(benefit: BenefitRule, household: KnownHousehold, missing: Sequence[MissingFact], reads: Reads) -> bool:
    """Whether the calculation can say anything: whatever its formulas read is known, or bounded."""
    if not missing:
        return True
    unknown = {FactName(fact.name) for fact in missing}
    if not benefit.bounded or unknown & NEVER_BOUNDED:
        return False
    unread = {name for member in household.members for name in reads.person - member.values.keys()}
    return all(fact_rules()[name].bounded for name in unread | (reads.household - household.values.keys()))


def at_end(household: KnownHousehold, names: Collection[FactName], end: End) -> KnownHousehold:
    """The household with each of these facts that is unknown at its better or its worse end."""
    of_person = [name for name in names if name not in HOUSEHOLD_FACTS]
    of_household = [name for name in names if name in HOUSEHOLD_FACTS]
    members = [
        KnownMember(member.person_id, member.values | {
            name: end_of(name, end) for name in of_person if name not in member.values
        }, member.is_adult)
        for member in household.members
    ]
    added = {name: end_of(name, end) for name in of_household if name not in household.values}
    return KnownHousehold(members, household.values | added)


def end_of(name: FactName, end: End) -> FactValue:
    """What stands in a calculation for a fact that is not known; one without bounds is never read from it."""
    rule = fact_rules()[name]
    value = rule.best if end == "best" else rule.worst
    return nothing(name) if value is None else value
