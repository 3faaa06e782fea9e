"""What the answers of data sources mean: checked field by field, then turned into facts. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contracts.benefits import Source
from contracts.events.means_check import AnswerKind
from contracts.facts import Fact, FactName, FactValue, Origin
from contracts.http.source import SourceAnswer
from services.verification.rules import NotValid

FIELD_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,40}", re.ASCII)
CHINA: Final = ZoneInfo("Asia/Shanghai")
Fen = Annotated[int, Field(ge=0, le=100_000_000_000)]
Count = Annotated[int, Field(ge=0, le=1000)]


class SourceData(BaseModel):
    """Fields of one source's record. A field it leaves out stays unknown; one we do not know is refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SocialSecurityData(SourceData):
    """Per month, averaged over the last twelve."""

    pension_fen_month: Fen | None = None
    wage_fen_month: Fen | None = None


class MedicalInsuranceData(SourceData):
    """Paid by the person over the last twelve months."""

    paid_self_fen_12_months: Fen | None = None
    serious_illness: bool | None = None


class BankData(SourceData):
    """Over all accounts."""

    balance_fen: Fen


class CountData(SourceData):
    """How many vehicles are registered."""

    count: Count


class HomesData(SourceData):
    """How many homes are registered."""

    homes_count: Count


class DisabilityData(SourceData):
    """As on the certificate (GB/T 26341-2010)."""

    kind: Literal["visual", "hearing", "speech", "physical", "mental", "intellectual", "multiple"]
    grade: Annotated[int, Field(ge=1, le=4)]


class CivilRegistryData(SourceData):
    """The entry of the person's registration."""

    alive: bool


@dataclass(frozen=True)
class Reading:
    """How one source's answers are read."""

    data: type[SourceData]
    facts: Mapping[str, FactName]
    no_record: Mapping[FactName, FactValue]
    """What it means that the source knows nothing of the person; what is not here stays unknown."""


READINGS: Final[Mapping[Source, Reading]] = {
    Source.SOCIAL_SECURITY: Reading(
        SocialSecurityData,
        {"pension_fen_month": FactName.PENSION, "wage_fen_month": FactName.WAGE},
        # Hazard: who works without insurance has no record either; a wage of 0 would overrule what was declared.
        {FactName.PENSION: 0},
    ),
    Source.MEDICAL_INSURANCE: Reading(
        MedicalInsuranceData,
        {"paid_self_fen_12_months": FactName.MEDICAL_PAID_SELF, "serious_illness": FactName.SERIOUS_ILLNESS},
        {FactName.MEDICAL_PAID_SELF: 0},
    ),
    Source.BANK: Reading(BankData, {"balance_fen": FactName.BANK_BALANCE}, {FactName.BANK_BALANCE: 0}),
    Source.VEHICLES: Reading(CountData, {"count": FactName.VEHICLES}, {FactName.VEHICLES: 0}),
    Source.PROPERTY: Reading(HomesData, {"homes_count": FactName.HOMES}, {FactName.HOMES: 0}),
    Source.DISABILITY: Reading(
        DisabilityData,
        {"kind": FactName.DISABILITY_KIND, "grade": FactName.DISABILITY_GRADE},
        {FactName.DISABILITY_GRADE: 0},
    ),
    # Hazard: a registry that does not know a person says neither that they live nor that they died.
    Source.CIVIL_REGISTRY: Reading(CivilRegistryData, {"alive": FactName.ALIVE}, {}),
}


def check_answer(source: Source, answer: SourceAnswer, now: datetime) -> list[NotValid]:
    """What is wrong with an answer, by field. `now` is legal time."""
    wrong: list[NotValid] = []
    if answer.as_of is not None and answer.as_of > now:
        wrong.append(NotValid("as_of", "An answer cannot be as of a future moment."))
    if answer.kind is not AnswerKind.DATA:
        if answer.data:
            wrong.append(NotValid("data", f"Kind {answer.kind} carries no data."))
        return wrong
    if answer.as_of is None:
        wrong.append(NotValid("as_of", "Data need the moment they are as of."))
    if not answer.data:
        wrong.append(NotValid("data", "Kind data needs data; say no_record where there are none."))
        return wrong
    try:
        READINGS[source].data.model_validate(answer.data)
    except ValidationError as error:
        wrong += [NotValid(f"data.{_field(fault['loc'])}", fault["msg"])
                  for fault in error.errors(include_input=False, include_url=False, include_context=False)]
    return wrong


def _field(location: tuple[int | str, ...]) -> str:
    """The field at fault. Hazard: an unknown key is the sender's text and could be anything, a number too."""
    name = str(location[0])
    return name if FIELD_NAME.fullmatch(name) else "?"


def facts_of(source: Source, person_id: UUID, answer: SourceAnswer, today: date) -> list[Fact]:
    """The facts a valid answer gives. No answer and a refusal give none: what they hide stays unknown."""
    reading = READINGS[source]
    values: dict[FactName, FactValue] = {}
    if answer.kind is AnswerKind.DATA:
        values = {reading.facts[field]: value for field, value in answer.data.items()}
    elif answer.kind is AnswerKind.NO_RECORD:
        values = dict(reading.no_record)
    as_of = answer.as_of.astimezone(CHINA).date() if answer.as_of else today
    return [Fact(person_id=person_id, name=name, value=value, origin=Origin.SHARED, as_of=as_of, source=source)
            for name, value in values.items()]
