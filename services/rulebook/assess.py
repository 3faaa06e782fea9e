"""Decides what households are owed: evidence first, then the rules, then the explanation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from contracts.benefits import Benefit
from contracts.events.decision import Period
from services.rulebook.data_files import rulebook_version
from services.rulebook.dated_parameters import find
from services.rulebook.evidence import KnownHousehold, known_household
from services.rulebook.explanation import lines, parameters_used, reason, reasons, trace
from services.rulebook.models import Assessment, AssessmentRequest, MissingFact
from services.rulebook.places import rule_place
from services.rulebook.simulation import Result, simulate
from services.rulebook.terms import first_month

DIBAO_PARAMETERS = (
    "dibao.standard.urban", "dibao.standard.rural",
    "dibao.top_up.disabled", "dibao.top_up.grave_or_elderly",
    "dibao.top_up.preschool_or_student", "dibao.top_up.elderly_age_years", "dibao.top_up.grave_grade_max",
    "dibao.payment.first_month", "dibao.evidence.household",
    "person.school_age_years", "person.adult_age_years",
)
"""Without one of these nothing is calculated: a rule that is not known is not a rule that gives nothing."""

Ready = tuple[int, AssessmentRequest, KnownHousehold]


def assess(requests: Sequence[AssessmentRequest]) -> list[Assessment]:
    """Answer every request, in order; those of the same rules and day are calculated together.

    Raises UnknownPlace for an area and ValueError for a benefit that the rulebook does not know.
    """
    answers: dict[int, Assessment] = {}
    to_calculate: dict[tuple[str, date], list[Ready]] = defaultdict(list)
    for index, request in enumerate(requests):
        prepared = _prepare(request)
        if isinstance(prepared, Assessment):
            answers[index] = prepared
        else:
            to_calculate[rule_place(request.place), request.on].append((index, request, prepared))
    for (place, on), ready in to_calculate.items():
        results = simulate(place, on, [household for _, _, household in ready])
        for (index, request, household), result in zip(ready, results, strict=True):
            answers[index] = _decide(request, household, result)
    return [answers[index] for index in range(len(requests))]


def _prepare(request: AssessmentRequest) -> KnownHousehold | Assessment:
    """The evidence where it is complete; otherwise the answer that needs no calculation."""
    if request.benefit == Benefit.TEMPORARY_ASSISTANCE:
        by_officer = MissingFact(name="amount_fen", from_whom="officer")
        return _undecided(request, "amount_decided_by_officer", [by_officer])
    if request.benefit != Benefit.DIBAO:
        raise ValueError(f"Benefit {request.benefit}: not assessed here. Its department decides it.")
    unknown = [path for path in DIBAO_PARAMETERS if find(path, request.place, request.on) is None]
    if unknown:
        return _undecided(request, "rule_unknown", [
            MissingFact(name=f"parameter:{path}", from_whom="rulebook") for path in unknown
        ])
    household = known_household(request)
    if not household.members:
        return _refused(request, "no_living_member")
    if household.missing:
        return _undecided(request, "evidence_missing", household.missing)
    return household


def _undecided(request: AssessmentRequest, code: str, missing: list[MissingFact]) -> Assessment:
    return Assessment(key=request.key, benefit=request.benefit, outcome="evidence_missing", missing=missing,
                      reasons=[reason(code, count=len(missing))], rulebook_version=rulebook_version())


def _refused(request: AssessmentRequest, code: str) -> Assessment:
    return Assessment(key=request.key, benefit=request.benefit, outcome="refuse", reasons=[reason(code)],
                      rulebook_version=rulebook_version())


def _decide(request: AssessmentRequest, household: KnownHousehold, result: Result) -> Assessment:
    granted = bool(result.household["dibao_eligible"])
    used = parameters_used(household, result, request.place, request.on)
    return Assessment(
        key=request.key,
        benefit=request.benefit,
        outcome="grant" if granted else "refuse",
        amount_fen=result.household["dibao_fen_month"] if granted else None,
        period=Period.MONTHLY if granted else None,
        first_month=first_month(request.benefit, request.place, request.on) if granted else None,
        lines=lines(household, result) if granted else [],
        reasons=reasons(household, result, used),
        parameters=list(used.values()),
        trace=trace(household, result),
        rulebook_version=rulebook_version(),
    )
