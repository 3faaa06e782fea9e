"""Which facts a benefit needs, and which of them are still unknown. Unknown neither grants nor refuses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts.benefits import Relation, Source, Standard
from contracts.facts import Fact, FactName, FactValue, Origin, strongest
from services.rulebook.data_files import RULEBOOK, read_yaml
from services.rulebook.dated_parameters import get
from services.rulebook.models import AssessmentRequest, Evidence, Member, MissingFact
from services.rulebook.places import rule_place

NO_CERTIFICATE, LIGHTEST_GRADE = 0, 4


class FactRule(BaseModel):
    """How one fact becomes known (evidence.yaml)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["date", "bool", "fen", "count", "grade", "standard"]
    informant: Literal["officer", "applicant", "source"]
    source: Source | None = None
    origins: frozenset[Origin]
    claims_nothing: bool | int | None = None
    document: bool = False


@dataclass(frozen=True)
class KnownMember:
    """A living member with every fact that counts as evidence."""

    person_id: UUID
    values: dict[FactName, FactValue]


@dataclass(frozen=True)
class KnownHousehold:
    """What stands as evidence on the day of assessment. Complete only where nothing is missing."""

    members: list[KnownMember]
    values: dict[FactName, FactValue]
    missing: list[MissingFact]


@cache
def fact_rules() -> dict[FactName, FactRule]:
    """How each fact becomes known, by name."""
    return {FactName(str(name)): FactRule.model_validate(row)
            for name, row in read_yaml(RULEBOOK / "evidence.yaml").items()}


def required_evidence(benefit: str, place: str, on: date) -> Evidence:
    """What must be known before the benefit is assessed there. Raises UnknownPlace, ParameterUnknown."""
    return _required_evidence(benefit, rule_place(place), on)


@lru_cache(maxsize=10_000)
def _required_evidence(benefit: str, place: str, on: date) -> Evidence:
    adult, child, household = (
        [FactName(name) for name in get(f"{benefit}.evidence.{about}", place, on).names]
        for about in ("adult", "child", "household")
    )
    rules = {name: fact_rules()[name] for name in (*adult, *child, *household)}
    return Evidence(
        person_facts_adult=adult, person_facts_child=child, household_facts=household,
        visit=bool(get(f"{benefit}.evidence.visit", place, on).value),
        sources=sorted({rule.source for rule in rules.values() if rule.source is not None}),
        findings=[name for name, rule in rules.items() if rule.informant == "officer"],
    )


def age_years(born_on: date, on: date) -> int:
    """Completed years of life (周岁), gained on the birthday."""
    return on.year - born_on.year - ((on.month, on.day) < (born_on.month, born_on.day))


def known_household(request: AssessmentRequest) -> KnownHousehold:
    """What is evidence and what is missing. Raises UnknownPlace, ParameterUnknown."""
    required = required_evidence(request.benefit, request.place, request.on)
    adult_age_years = get("person.adult_age_years", request.place, request.on).whole_number
    household = _evidence(request.facts, request.on)
    missing = [_missing(None, name) for name in required.household_facts if name not in household]
    members: list[KnownMember] = []
    for member in request.members:
        values = _evidence(member.facts, request.on)
        if values.get(FactName.ALIVE) is False:
            continue  # the dead neither count nor have to be known any further
        names = (required.person_facts_adult if _counts_as_adult(member, values, request.on, adult_age_years)
                 else required.person_facts_child)
        missing += [_missing(member.person_id, name) for name in names if name not in values]
        members.append(KnownMember(member.person_id, values))
    return KnownHousehold(members, household, missing)


def _counts_as_adult(member: Member, values: dict[FactName, FactValue], on: date,
                     adult_age_years: int) -> bool:
    """Where the birth date is unknown, whoever is not called a child is asked as an adult."""
    born_on = values.get(FactName.BORN_ON)
    if isinstance(born_on, date):
        return age_years(born_on, on) >= adult_age_years
    return member.relation != Relation.CHILD


def _evidence(facts: Iterable[Fact], on: date) -> dict[FactName, FactValue]:
    """The value that stands for each fact, of those that count as evidence."""
    counting = [fact for fact in facts if _counts(fact, on)]
    return {name: fact.value for (_, name), fact in strongest(counting).items()}


def _counts(fact: Fact, on: date) -> bool:
    rule = fact_rules().get(fact.name)
    if rule is None or not _fits(rule, fact.value, on) or (rule.document and not fact.source):
        return False
    claims_nothing = rule.claims_nothing is not None and fact.value == rule.claims_nothing
    return claims_nothing or fact.origin in rule.origins


def _fits(rule: FactRule, value: FactValue, on: date) -> bool:
    """Whether the value can mean anything. Hazard: True is an int in Python; a negative income is none."""
    match rule.type:
        case "date":
            return isinstance(value, date) and value <= on
        case "bool":
            return isinstance(value, bool)
        case "standard":
            return value in (Standard.URBAN, Standard.RURAL)
        case "grade":
            return type(value) is int and NO_CERTIFICATE <= value <= LIGHTEST_GRADE
        case "fen" | "count":
            return type(value) is int and value >= 0


def _missing(person_id: UUID | None, name: FactName) -> MissingFact:
    rule = fact_rules()[name]
    return MissingFact(person_id=person_id, name=name, from_whom=rule.informant, source=rule.source)
