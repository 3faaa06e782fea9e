"""Which facts a benefit needs, and which of them are still unknown. Unknown neither grants nor refuses."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.benefits import Relation, Source
from contracts.facts import FACT_WORDS, HOUSEHOLD_FACTS, Fact, FactName, FactValue, Origin, strongest
from services.rulebook.data_files import RULEBOOK, read_yaml
from services.rulebook.dated_parameters import find, get
from services.rulebook.models import Evidence, HouseholdFacts, Member, MissingFact
from services.rulebook.places import rule_place

NO_CERTIFICATE, LIGHTEST_GRADE = 0, 4
MOST_FEN, MOST_OF_A_COUNT = 100_000_000_000, 100_000
"""More is a slip of the hand, and of a count more than OpenFisca's 32 bits hold once it is multiplied."""
NOTHING: dict[str, FactValue] = {"date": date(1970, 1, 1), "bool": False, "fen": 0, "count": 0, "grade": NO_CERTIFICATE}
ABOUT_PERSONS = [name for name in FactName if name not in HOUSEHOLD_FACTS]
ABOUT_HOUSEHOLDS = [name for name in FactName if name in HOUSEHOLD_FACTS]


class Implied(BaseModel):
    """A fact that follows from another."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: FactName
    value_is: bool | int | str = Field(alias="is")
    value: bool | int | str


class Wording(BaseModel):
    """Chinese first, English second."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zh: str
    en: str


class FactRule(BaseModel):
    """How one fact becomes known (evidence.yaml)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    zh: str
    en: str
    type: Literal["date", "bool", "fen", "count", "grade", "word"]
    informant: Literal["officer", "applicant", "source"]
    source: Source | None = None
    origins: frozenset[Origin]
    claims_nothing: bool | int | str | None = None
    document: bool = False
    of: Literal["everybody", "adults", "children"] = "everybody"
    implied: Implied | None = None
    absent_means: bool | int | str | None = None
    best: bool | int | str | None = None
    worst: bool | int | str | None = None
    paper: Wording | None = None

    @property
    def bounded(self) -> bool:
        """Whether an unknown value is known to lie between two that can be reckoned with."""
        return self.best is not None


@dataclass(frozen=True)
class KnownMember:
    """A living member with every fact that counts as evidence."""

    person_id: UUID
    values: dict[FactName, FactValue]
    is_adult: bool = True


@dataclass(frozen=True)
class KnownHousehold:
    """What stands as evidence on the day of assessment, about the household and each living member."""

    members: list[KnownMember]
    values: dict[FactName, FactValue]


@cache
def fact_rules() -> dict[FactName, FactRule]:
    """How each fact becomes known, by name."""
    return {FactName(str(name)): FactRule.model_validate(row)
            for name, row in read_yaml(RULEBOOK / "evidence.yaml").items()}


def fact_names(name: str) -> tuple[str, str]:
    """What a missing fact is called, Chinese and English; a rule that is not known by its path."""
    if name not in set(FactName):
        path = name.removeprefix("parameter:")
        return f"当地规定 {path}", f"the place's rule {path}"
    rule = fact_rules()[FactName(name)]
    return rule.zh, rule.en


@dataclass(frozen=True)
class Reads:
    """The facts that the formulas of a benefit read in a place on a day."""

    person: frozenset[FactName]
    household: frozenset[FactName]


@cache
def nothing_of(is_adult: bool) -> dict[FactName, FactValue]:
    """What nobody is asked about a child, or about an adult: it is nothing until it is told."""
    others = "children" if is_adult else "adults"
    return {name: nothing(name) for name in ABOUT_PERSONS if fact_rules()[name].of == others}


def nothing(name: FactName) -> FactValue:
    """What is nothing of that fact: the first of its words, no, none; of a day any day."""
    rule = fact_rules()[name]
    return next(iter(FACT_WORDS[name])).value if rule.type == "word" else NOTHING[rule.type]


def evidence_of(benefit: str, place: str, on: date, reads: Reads) -> Evidence:
    """What must be known before the benefit is granted: what its formulas read, and what the place wants proved.

    Raises UnknownPlace.
    """
    return _evidence_of(benefit, rule_place(place), on, reads)


@lru_cache(maxsize=10_000)
def _evidence_of(benefit: str, place: str, on: date, reads: Reads) -> Evidence:
    adult, child, household = (
        _proofs(f"{benefit}.evidence.{about}", place, on)
        for about in ("adult", "child", "household")
    )
    of_persons = asked_of_persons(reads)
    adult = _with(adult, {name for name in of_persons if fact_rules()[name].of != "children"})
    child = _with(child, {name for name in of_persons if fact_rules()[name].of != "adults"})
    household = _with(household, {*reads.household, FactName.STANDARD})
    names = dict.fromkeys((*adult, *child, *household))
    rules = {name: fact_rules()[name] for name in names if fact_rules()[name].absent_means is None}
    visit = find(f"{benefit}.evidence.visit", place, on)
    return Evidence(
        person_facts_adult=adult, person_facts_child=child, household_facts=household,
        visit=visit is not None and bool(visit.value),
        sources=sorted({rule.source for rule in rules.values() if rule.source is not None}),
        findings=[name for name, rule in rules.items() if rule.informant == "officer" and not _follows_unasked(rule)],
    )


def _follows_unasked(rule: FactRule) -> bool:
    """Whether it follows from what nobody has to tell: it is asked for only where that was told after all."""
    return rule.implied is not None and fact_rules()[rule.implied.by].absent_means is not None


def proofs_of(benefit: str, place: str, on: date) -> frozenset[FactName]:
    """What the place wants proved of adults, children or the household before it grants. Raises UnknownPlace."""
    return frozenset(name for about in ("adult", "child", "household")
                     for name in _proofs(f"{benefit}.evidence.{about}", place, on))


def _proofs(path: str, place: str, on: date) -> list[FactName]:
    listed = find(path, place, on)
    return [FactName(name) for name in listed.names] if listed else []


def _with(listed: list[FactName], read: Collection[FactName]) -> list[FactName]:
    """Those listed first; then those that are read, and from which these may follow, in the order of the vocabulary."""
    implying = {rule.implied.by for name in read if (rule := fact_rules()[name]).implied is not None}
    return [*listed, *(name for name in FactName if name in {*read, *implying} and name not in listed)]


def asked_of_persons(reads: Reads) -> set[FactName]:
    """What is read of persons, whether they live, and when they were born where that decides what they are asked."""
    if not reads.person:
        return set()
    by_age = any(fact_rules()[name].of != "everybody" for name in reads.person)
    return {*reads.person, FactName.ALIVE, *({FactName.BORN_ON} if by_age else ())}


def age_years(born_on: date, on: date) -> int:
    """Completed years of life (周岁), gained on the birthday."""
    return on.year - born_on.year - ((on.month, on.day) < (born_on.month, born_on.day))


def known_household(request: HouseholdFacts) -> KnownHousehold:
    """What is evidence; the dead neither count nor have to be known further. Raises UnknownPlace, ParameterUnknown."""
    adult_age_years = get("person.adult_age_years", request.place, request.on).whole_number
    members: list[KnownMember] = []
    for member in request.members:
        values = _evidence(member.facts, request, ABOUT_PERSONS)
        if values.get(FactName.ALIVE) is not False:
            is_adult = _counts_as_adult(member, values, request.on, adult_age_years)
            members.append(KnownMember(member.person_id, nothing_of(is_adult) | values, is_adult))
    return KnownHousehold(members, _evidence(request.facts, request, ABOUT_HOUSEHOLDS))


def missing_of(household: KnownHousehold, required: Evidence, *, as_declared: bool) -> list[MissingFact]:
    """What is required and not known; whether one lives is required of everybody whose word is not simply taken."""
    missing = [_missing(None, name) for name in required.household_facts if _is_asked(name, household.values)]
    for member in household.members:
        names = required.person_facts_adult if member.is_adult else required.person_facts_child
        missing += [_missing(member.person_id, name) for name in names
                    if _is_asked(name, member.values) and not (as_declared and name == FactName.ALIVE)]
    return list(dict.fromkeys(missing))


def _is_asked(name: FactName, values: dict[FactName, FactValue]) -> bool:
    """Whether a fact is missing; what may follow from another that is missing too is asked for when that is known."""
    implied = fact_rules()[name].implied
    return name not in values and (implied is None or implied.by in values)


def _counts_as_adult(member: Member, values: dict[FactName, FactValue], on: date,
                     adult_age_years: int) -> bool:
    """Where the birth date is unknown, whoever is not called a child is asked as an adult."""
    born_on = values.get(FactName.BORN_ON)
    if isinstance(born_on, date):
        return age_years(born_on, on) >= adult_age_years
    return member.relation != Relation.CHILD


def _evidence(facts: Iterable[Fact], request: HouseholdFacts,
              about: Collection[FactName]) -> dict[FactName, FactValue]:
    """The value that stands for each fact, of those that count as evidence, with what follows from them."""
    counting = [fact for fact in facts if _counts(fact, request)]
    values = {name: fact.value for (_, name), fact in strongest(counting).items()}
    for name in about:
        rule = fact_rules()[name]
        if name in values:
            continue
        if rule.absent_means is not None:
            values[name] = rule.absent_means
        elif rule.implied is not None and values.get(rule.implied.by) == rule.implied.value_is:
            values[name] = rule.implied.value
    return values


def _counts(fact: Fact, request: HouseholdFacts) -> bool:
    rule = fact_rules().get(fact.name)
    if rule is None or not fits(fact.name, fact.value, request.on):
        return False
    if request.as_declared:
        return True
    if rule.claims_nothing is not None and fact.value == rule.claims_nothing:
        return True
    return fact.origin in rule.origins and bool(fact.source or not rule.document)


def fits(name: FactName, value: FactValue, on: date) -> bool:
    """Whether the value can mean anything. Hazard: True is an int in Python; a negative income is none."""
    match fact_rules()[name].type:
        case "date":
            return isinstance(value, date) and value <= on
        case "bool":
            return isinstance(value, bool)
        case "word":
            return isinstance(value, str) and value in set(FACT_WORDS[name])
        case "grade":
            return type(value) is int and NO_CERTIFICATE <= value <= LIGHTEST_GRADE
        case "fen":
            return type(value) is int and 0 <= value <= MOST_FEN
        case "count":
            return type(value) is int and 0 <= value <= MOST_OF_A_COUNT


def _missing(person_id: UUID | None, name: FactName) -> MissingFact:
    rule = fact_rules()[name]
    return MissingFact(person_id=person_id, name=name, from_whom=rule.informant, source=rule.source)
