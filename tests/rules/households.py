"""Builders of households for rule tests; each shows only what matters to its test."""

from __future__ import annotations

from datetime import date
from uuid import UUID, uuid5

from contracts.benefits import Benefit, Relation
from contracts.facts import Fact, FactName, FactValue, Origin
from services.rulebook import AssessmentRequest, Member

BAISHA = "500116108"
JIANGJIN = "500116"
YUBEI = "500112"
ON = date(2025, 1, 6)
NAMESPACE = UUID("018f0000-0000-7000-8000-000000000000")

HEALTHY_ADULT: dict[str, FactValue] = {
    "born_on": date(1980, 1, 1), "alive": True, "wage_fen_month": 0, "pension_fen_month": 0,
    "business_fen_month": 0, "property_income_fen_month": 0, "transfer_fen_month": 0, "bank_balance_fen": 0,
    "vehicles_count": 0, "homes_count": 0, "disability_grade": 0, "serious_illness": False,
    "in_full_time_education": False,
}
CHILD: dict[str, FactValue] = {
    "born_on": date(2016, 1, 1), "alive": True, "disability_grade": 0, "serious_illness": False,
    "in_full_time_education": True,
}
HOUSEHOLD: dict[str, FactValue] = {
    "standard": "rural", "support_income_fen_month": 0, "assets_within_local_limit": True,
}


def a_fact(name: str, value: FactValue, *, origin: Origin = Origin.DOCUMENT, as_of: date = ON,
           source: str | None = "certificate") -> Fact:
    """A fact from a document, unless told otherwise."""
    return Fact(name=FactName(name), value=value, origin=origin, as_of=as_of, source=source)


def a_member(name: str = "applicant", *, relation: Relation = Relation.APPLICANT,
             without: tuple[str, ...] = (), extra: tuple[Fact, ...] = (), **values: FactValue) -> Member:
    """A healthy adult without income, or a child at school where the relation says so."""
    known = (CHILD if relation == Relation.CHILD else HEALTHY_ADULT) | values
    facts = [a_fact(fact, value) for fact, value in known.items() if fact not in without]
    return Member(person_id=uuid5(NAMESPACE, name), relation=relation, facts=[*facts, *extra])


def a_request(*members: Member, key: str = "case", benefit: Benefit = Benefit.DIBAO, place: str = BAISHA,
              on: date = ON, without: tuple[str, ...] = (), extra: tuple[Fact, ...] = (),
              **values: FactValue) -> AssessmentRequest:
    """A rural household of Baisha on 2025-01-06 with assets within the limit, all of it known."""
    facts = [a_fact(name, value) for name, value in (HOUSEHOLD | values).items() if name not in without]
    return AssessmentRequest(key=key, benefit=benefit, place=place, on=on, facts=[*facts, *extra],
                             members=list(members) or [a_member()])
