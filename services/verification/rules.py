"""Decisions of verification: who may be asked about, what counts as over, what a report must hold. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from contracts.benefits import Source
from contracts.events.item import HouseholdMember, ItemAccepted
from contracts.facts import FACT_WORDS, HOUSEHOLD_FACTS, Fact, FactName, Origin, strongest
from contracts.http.casework import Finding, ReportVisit
from services.rulebook import required_evidence
from services.rulebook.evidence import LIGHTEST_GRADE, MOST_FEN, MOST_OF_A_COUNT, NO_CERTIFICATE, fact_rules, fits

COUNTY_DIGITS: Final = 6
VALUE_TYPES: Final[Mapping[str, type]] = {
    "date": date, "bool": bool, "word": str, "fen": int, "count": int, "grade": int,
}
"""What kind of value a fact has, by how the rulebook counts it."""
RANGES: Final[Mapping[str, str]] = {
    "date": "a day that has come", "bool": "yes or no", "word": "one of its words",
    "fen": f"fen from 0 to {MOST_FEN}", "count": f"a number from 0 to {MOST_OF_A_COUNT}",
    "grade": f"a number from {NO_CERTIFICATE} to {LIGHTEST_GRADE}",
}
"""What a value may be, by how the rulebook counts it: anything else would be no evidence, and push out what is."""
AFTER_FAILURES: Final = (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4), timedelta(days=1),
                         timedelta(days=2))
"""Legal time until a source that failed is asked again; after the last, its answer is none."""
AFTER_PROMISES: Final = (timedelta(hours=1), timedelta(days=1), timedelta(days=2), timedelta(days=4),
                         timedelta(days=8))
"""The same for a source that took the question, and answers later or left it out."""


@dataclass(frozen=True)
class Needs:
    """What must be found out for one item."""

    sources: frozenset[Source]
    child_sources: frozenset[Source]
    """Those that tell what must be known of a child; an adult is asked about at every one."""
    visit: bool
    findings_wanted: tuple[FactName, ...]


@dataclass(frozen=True)
class Letter:
    """A standing authorisation (授权书): one person, some sources."""

    authorisation_id: UUID
    person_id: UUID
    scope: frozenset[str]


@dataclass(frozen=True)
class Question:
    """One source to be asked about one person, under one letter."""

    person_id: UUID
    source: Source
    authorisation_id: UUID


@dataclass(frozen=True)
class NotValid:
    """One field of a message that cannot be accepted, and why; never repeats the value."""

    field: str
    message: str


def needs(item: ItemAccepted, owner: str, on: date) -> Needs:
    """What an item accepted on this day needs. Raises UnknownPlace or ParameterUnknown of the rulebook."""
    required = required_evidence(item.benefit, owner, on)
    wanted = tuple(name for name in required.findings
                   if name in required.household_facts or not _nobody_claims(name, item.members))
    of_child = [fact_rules()[name].source for name in required.person_facts_child]
    return Needs(frozenset(required.sources), frozenset(source for source in of_child if source is not None),
                 required.visit or item.near_relative_of_officer, wanted)


def _nobody_claims(name: FactName, members: Iterable[HouseholdMember]) -> bool:
    """Whether everybody declared of themselves what brings no advantage, and so needs no finding (告知承诺)."""
    claims_nothing = fact_rules()[name].claims_nothing
    return claims_nothing is not None and all(
        any(fact.name == name and fact.value == claims_nothing for fact in member.facts) for member in members
    )


def visiting_place(owner: str, *, near_relative_of_officer: bool) -> str:
    """Whose officers go: the deciding place's own; the county's for relatives of an officer (近亲属备案)."""
    return owner[:COUNTY_DIGITS] if near_relative_of_officer else owner


def awaiting(to_cover: Mapping[UUID, Collection[str]], letters: Iterable[Letter]) -> list[UUID]:
    """Who is not covered yet by standing letters at every source named; for a child a guardian signs.

    Not one source is asked before everybody is covered. Hazard: a child left out would be asked about nowhere, and
    the item would wait for ever for what only a source can tell.
    """
    covered: dict[UUID, set[str]] = {}
    for letter in letters:
        covered.setdefault(letter.person_id, set()).update(letter.scope)
    return [person_id for person_id, sources in to_cover.items()
            if not covered.get(person_id, set()).issuperset(sources)]


def questions(members: Iterable[UUID], letters: Iterable[Letter], sources: Collection[str]) -> list[Question]:
    """What may be asked: each member and source that a letter names; a child's where a guardian signed."""
    household = set(members)
    return [
        Question(person_id, Source(source), authorisation_id)
        for (person_id, source), authorisation_id in sorted({
            (letter.person_id, source): letter.authorisation_id
            for letter in letters
            for source in letter.scope
            if letter.person_id in household and source in sources
        }.items())
    ]


def ask_again_after(tries_count: int, *, promised: bool) -> timedelta | None:
    """How long a question waits that waited so often before; None: often enough, there is no answer."""
    pauses = AFTER_PROMISES if promised else AFTER_FAILURES
    return pauses[tries_count] if tries_count < len(pauses) else None


def report_number(jurisdiction: str, means_check_id: UUID, on: date, reports_count: int) -> str:
    """Number of a check's report (核对报告编号): place, day, check, and which report of it."""
    return f"HD-{jurisdiction}-{on:%Y%m%d}-{means_check_id.hex[-8:]}-{reports_count}"


def standing_facts(recorded: Iterable[Fact]) -> list[Fact]:
    """The facts that stand, given in the order they were recorded: of equals, the one recorded last."""
    return list(strongest(list(reversed(list(recorded)))).values())


def digest(content: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON of a piece of evidence (keys sorted, no spaces, UTF-8)."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def found(finding: Finding, members: Collection[UUID]) -> Fact:
    """The fact an officer signs for with a finding: origin visit, the document cited as its source.

    In a household of one a finding about a person need not say about whom.
    """
    # Through JSON, since only there a date is read as a date where text is allowed as well.
    fact = Fact.model_validate_json(finding.fact.model_dump_json())
    person_id = fact.person_id
    if person_id is None and fact.name not in HOUSEHOLD_FACTS and len(members) == 1:
        [person_id] = members
    return fact.model_copy(update={"origin": Origin.VISIT, "source": finding.document, "person_id": person_id})


def check_findings(findings: Iterable[Finding], members: Collection[UUID], today: date) -> list[NotValid]:
    """What is wrong with findings about this household, by field."""
    wrong: list[NotValid] = []
    for number, finding in enumerate(findings):
        path = f"findings.{number}"
        fact = found(finding, members)
        of_household = fact.name in HOUSEHOLD_FACTS
        if of_household and fact.person_id is not None:
            wrong.append(NotValid(f"{path}.fact.person_id", f"{fact.name} is about the household: leave this out."))
        elif not of_household and fact.person_id not in members:
            wrong.append(NotValid(f"{path}.fact.person_id", f"{fact.name} needs a member of this household."))
        if (refusal := _refused_value(fact, today)) is not None:
            wrong.append(NotValid(f"{path}.fact.value", refusal))
        if fact.as_of > today:
            wrong.append(NotValid(f"{path}.fact.as_of", "A finding cannot be of a future day."))
    return wrong


def _refused_value(fact: Fact, today: date) -> str | None:
    kind = VALUE_TYPES[fact_rules()[fact.name].type]
    # Hazard: True is an int in Python; `type` keeps a yes from becoming one fen.
    if type(fact.value) is not kind:
        return f"{fact.name} takes a value of type {kind.__name__}."
    if isinstance(fact.value, str) and fact.value not in set(FACT_WORDS[fact.name]):
        return f"{fact.name} is one of: {', '.join(FACT_WORDS[fact.name])}."
    if not fits(fact.name, fact.value, today):
        return f"{fact.name} cannot be that: {RANGES[fact_rules()[fact.name].type]}."
    return None


def check_report(report: ReportVisit, *, signer: str, ordered_on: date, today: date,
                 members: Collection[UUID]) -> list[NotValid]:
    """What is wrong with a visit report, by field (民发〔2021〕57号: two investigators, signed)."""
    wrong = check_findings(report.findings, members, today)
    if report.visited_on > today:
        wrong.append(NotValid("visited_on", f"The visit cannot lie in the future; today is {today}."))
    if report.visited_on < ordered_on:
        wrong.append(NotValid("visited_on", f"The visit was ordered on {ordered_on}; it cannot have been before."))
    if len(set(report.investigators)) < 2:
        wrong.append(NotValid("investigators", "At least two different investigators have to go."))
    if signer not in report.investigators:
        wrong.append(NotValid("investigators", "Who sends the report has to be one of its investigators."))
    return wrong
