"""Decides what households are owed: evidence first, then the rules, then the explanation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from contracts.benefits import Benefit, Department, Standard
from contracts.events.decision import Period
from contracts.facts import FactName
from services.rulebook.benefit_rules import BenefitRule, benefits
from services.rulebook.data_files import rulebook_version
from services.rulebook.dated_parameters import ParameterUnknown
from services.rulebook.evidence import KnownHousehold, Reads, evidence_of, known_household, missing_of, proofs_of
from services.rulebook.explanation import lines, parameters_used, reason, reasons, trace
from services.rulebook.figures import RuleUnknown
from services.rulebook.models import (
    Assessment,
    AssessmentRequest,
    DecidingLevel,
    Evidence,
    HouseholdFacts,
    MissingFact,
)
from services.rulebook.outcome import Ends, amount_fen, at_end, reckonable, tell
from services.rulebook.places import rule_place
from services.rulebook.simulation import Calculation, Formulas, Result, formulas_of
from services.rulebook.terms import first_month, payment_rule


@dataclass(frozen=True)
class Asked:
    """One benefit of one household whose rules are known, with what is missing and what was calculated."""

    answer_at: tuple[int, Benefit]
    request: HouseholdFacts
    benefit: BenefitRule
    formulas: Formulas
    household: KnownHousehold
    missing: list[MissingFact]


def decide(request: AssessmentRequest) -> Assessment:
    """One answer; see `assess`."""
    [answer] = assess([request])
    return answer


def assess(requests: Sequence[AssessmentRequest]) -> list[Assessment]:
    """Answer every request, in order; those of the same rules, day and standard are calculated together.

    Raises UnknownPlace for an area and ValueError for a benefit that the rulebook does not know.
    """
    answers = assess_benefits([(request, (request.benefit,)) for request in requests])
    return [answer[request.benefit] for request, answer in zip(requests, answers, strict=True)]


def assess_benefits(asked: Sequence[tuple[HouseholdFacts, Sequence[Benefit]]]) -> list[dict[Benefit, Assessment]]:
    """Answer several benefits of each household, in order; see `assess`."""
    answers: list[dict[Benefit, Assessment]] = [{} for _ in asked]
    to_calculate: dict[tuple[str, date, str], list[Asked]] = defaultdict(list)
    for index, (request, codes) in enumerate(asked):
        place, prepared = rule_place(request.place), _prepared(index, request, codes, answers[index])
        for one in prepared:
            standard = str(one.household.values[FactName.STANDARD])
            to_calculate[place, request.on, standard].append(one)
    for (place, on, _), group in to_calculate.items():
        for one, ends in zip(group, _calculated(place, on, group), strict=True):
            index, code = one.answer_at
            answers[index][code] = _answer(one, ends)
    return answers


def _prepared(index: int, request: HouseholdFacts, codes: Sequence[Benefit],
              answers: dict[Benefit, Assessment]) -> list[Asked]:
    """What has to be calculated; whatever can be answered without goes into `answers`."""
    prepared: list[Asked] = []
    household: KnownHousehold | None = None
    for code in codes:
        if code not in benefits():
            raise ValueError(f"Benefit {code}: not in the rulebook. Add it under benefits/.")
        try:
            household = household or known_household(request)
            one = _one(index, request, benefits()[code], household)
        except (RuleUnknown, ParameterUnknown) as error:
            missing = [MissingFact(name=f"parameter:{error.path}", from_whom="rulebook")]
            answers[code] = _undecided(request, code, "rule_unknown", missing)
            continue
        if not household.members:
            answers[code] = _refused(request, code, "no_living_member")
        elif not reckonable(one.benefit, household, one.missing, one.formulas.reads):
            answers[code] = _undecided(request, code, "evidence_missing", one.missing)
        else:
            prepared.append(one)
    return prepared


def _one(index: int, request: HouseholdFacts, benefit: BenefitRule, household: KnownHousehold) -> Asked:
    formulas = _formulas(request, benefit, household)
    required = evidence_of(benefit.code, request.place, request.on, formulas.reads)
    if is_paid_by_us(benefit) and not request.as_declared:
        payment_rule(benefit.code, request.place, request.on)  # a grant that nobody could pay is not decided
    missing = missing_of(household, required, as_declared=request.as_declared)
    return Asked((index, benefit.code), request, benefit, formulas, household, missing)


def _formulas(request: HouseholdFacts, benefit: BenefitRule, household: KnownHousehold) -> Formulas:
    """The formulas for the household's standard; for either, while the standard is not known."""
    known = household.values.get(FactName.STANDARD)
    unknown: RuleUnknown | None = None
    for standard in Standard if known is None else (str(known),):
        try:
            return formulas_of(rule_place(request.place), request.on, str(standard), benefit.variables)
        except RuleUnknown as error:
            unknown = unknown or error
    raise unknown or AssertionError("there is a standard")


def _calculated(place: str, on: date, group: Sequence[Asked]) -> list[Ends]:
    """Both ends of everything asked, in one calculation; each household is in it once for each end it needs."""
    formulas = {one.benefit.code: one.formulas for one in group}
    names = sorted({name for one in formulas.values() for name in one.reads.person | one.reads.household})
    rows: list[KnownHousehold] = []
    better_at: dict[int, int] = {}
    worse_at: dict[int, int] = {}
    for one in group:
        if id(one.household) not in better_at:
            better_at[id(one.household)] = worse_at[id(one.household)] = len(rows)
            rows.append(at_end(one.household, names, "best"))
        if one.missing and worse_at[id(one.household)] == better_at[id(one.household)]:
            worse_at[id(one.household)] = len(rows)
            rows.append(at_end(one.household, names, "worst"))
    calculation = Calculation(place, on, rows, list(formulas.values()))
    return [Ends(calculation.result(better_at[id(one.household)], one.formulas),
                 calculation.result(worse_at[id(one.household)], one.formulas)) for one in group]


def _answer(one: Asked, ends: Ends) -> Assessment:
    request, benefit = one.request, one.benefit
    outcome = tell(benefit, ends, one.missing, proofs_of(benefit.code, request.place, request.on))
    if outcome == "evidence_missing":
        only_sum = [fact.name for fact in one.missing] == [FactName.AMOUNT_FOUND]
        return _undecided(request, benefit.code, "amount_decided_by_officer" if only_sum else outcome, one.missing)
    household, result = at_end(one.household, one.formulas.reads.household, "best"), ends.better
    used = parameters_used(benefit, result, one.formulas, request.place, request.on)
    why = reasons(benefit, household, result, used, granted=outcome == "grant")
    if one.missing:
        why.append(reason("decided_early", count=len(one.missing)))
    return Assessment(
        key=request.key, benefit=benefit.code, outcome=outcome,
        **(_given(one, household, result) if outcome == "grant" else {}),
        reasons=why, parameters=list(used.values()), trace=trace(household, result, one.formulas),
        rulebook_version=rulebook_version(),
    )


def _given(one: Asked, household: KnownHousehold, result: Result) -> dict[str, Any]:
    """What a grant gives, how often, from when, and whose signature its sum needs."""
    benefit, request = one.benefit, one.request
    paid_by_us = is_paid_by_us(benefit) and not request.as_declared
    return {
        "amount_fen": amount_fen(benefit, result),
        "period": Period.MONTHLY if benefit.given_per == "monthly" else Period.ONCE,
        "given_per": benefit.given_per,
        "first_month": first_month(benefit.code, request.place, request.on) if paid_by_us else None,
        "level": _level(benefit, result),
        "lines": lines(benefit, household, result),
    }


def _level(benefit: BenefitRule, result: Result) -> DecidingLevel | None:
    if benefit.county_decides is None:
        return None
    return "county" if result.household[benefit.county_decides] else "town"


def is_paid_by_us(benefit: BenefitRule) -> bool:
    """Whether it is paid in the monthly run of the place."""
    return benefit.department == Department.CIVIL_AFFAIRS and benefit.given_per == "monthly" and bool(benefit.amount)


def _undecided(request: HouseholdFacts, code: Benefit, why: str, missing: list[MissingFact]) -> Assessment:
    return Assessment(key=request.key, benefit=code, outcome="evidence_missing", missing=missing,
                      reasons=[reason(why, count=len(missing))], rulebook_version=rulebook_version())


def _refused(request: HouseholdFacts, code: Benefit, why: str) -> Assessment:
    return Assessment(key=request.key, benefit=code, outcome="refuse", reasons=[reason(why)],
                      rulebook_version=rulebook_version())


def required_evidence(benefit: str, place: str, on: date) -> Evidence:
    """What must be known before the benefit is granted there. Raises UnknownPlace, ParameterUnknown."""
    rule = benefits()[Benefit(benefit)]
    person: set[FactName] = set()
    household: set[FactName] = set()
    for standard in Standard:
        try:
            reads = formulas_of(rule_place(place), on, standard, rule.variables).reads
        except RuleUnknown:
            continue  # the item will wait on whoever keeps the rules; what the place wants proved is asked all the same
        person |= reads.person
        household |= reads.household
    return evidence_of(benefit, place, on, Reads(frozenset(person), frozenset(household)))
