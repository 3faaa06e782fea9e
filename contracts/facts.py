"""Facts about a person or a household: each with an origin and an as-of date.

A fact that is absent is unknown. Unknown is never a default: it neither grants nor refuses.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.vocabulary import GrowingVocabulary


class Origin(StrEnum):
    """Where a fact comes from."""

    DECLARED = "declared"
    """The household said so on the one form (申报)."""
    SHARED = "shared"
    """A data source answered (共享)."""
    DOCUMENT = "document"
    """A licence or paper shows it (证照)."""
    VISIT = "visit"
    """An officer found and signed it (入户调查)."""


class FactName(GrowingVocabulary):
    """The closed vocabulary of facts. Person facts first, then household facts."""

    BORN_ON = "born_on"
    WAGE = "wage_fen_month"
    PENSION = "pension_fen_month"
    BUSINESS_INCOME = "business_fen_month"
    PROPERTY_INCOME = "property_income_fen_month"
    TRANSFER_INCOME = "transfer_fen_month"
    BANK_BALANCE = "bank_balance_fen"
    VEHICLES = "vehicles_count"
    HOMES = "homes_count"
    DISABILITY_KIND = "disability_kind"
    DISABILITY_GRADE = "disability_grade"
    """0 where there is no certificate, else 1 (gravest) to 4 (GB/T 26341-2010)."""
    SERIOUS_ILLNESS = "serious_illness"
    ABLE_TO_WORK = "able_to_work"
    IN_FULL_TIME_EDUCATION = "in_full_time_education"
    ALIVE = "alive"
    MEDICAL_PAID_SELF = "medical_paid_self_fen_12_months"

    STANDARD = "standard"
    """Which local standard applies: ``urban`` or ``rural``."""
    ASSETS_WITHIN_LOCAL_LIMIT = "assets_within_local_limit"
    """A finding signed by an officer, with the document it relies on."""
    SUPPORT_INCOME = "support_income_fen_month"
    """Owed by relatives outside the household (赡养费, 抚养费, 扶养费)."""


HOUSEHOLD_FACTS: Final = frozenset(
    {FactName.STANDARD, FactName.ASSETS_WITHIN_LOCAL_LIMIT, FactName.SUPPORT_INCOME}
)
"""About the household as a whole; every other fact is about one person."""

FactValue = bool | int | date | str


class Fact(BaseModel):
    """One thing known about one person, or about the household where `person_id` is None."""

    model_config = ConfigDict(frozen=True)

    person_id: UUID | None = Field(default=None, description="Whom it is about; None: the household.")
    name: FactName
    value: FactValue = Field(description="Money in fen, counts as integers, yes/no as booleans.", union_mode="smart")
    origin: Origin
    as_of: date
    source: str | None = Field(
        default=None, max_length=200, description="The data source's code, or the document that was cited."
    )


PRECEDENCE = (Origin.VISIT, Origin.SHARED, Origin.DOCUMENT, Origin.DECLARED)
"""Which origin stands where several tell about the same thing: what was checked before what was said."""


def strongest(facts: list[Fact]) -> dict[tuple[UUID | None, FactName], Fact]:
    """The one fact that stands for each person and name: by origin, then by the later as-of date."""
    standing: dict[tuple[UUID | None, FactName], Fact] = {}
    for fact in facts:
        key = (fact.person_id, fact.name)
        other = standing.get(key)
        if other is None or _weight(fact) > _weight(other):
            standing[key] = fact
    return standing


def _weight(fact: Fact) -> tuple[int, date]:
    return -PRECEDENCE.index(fact.origin), fact.as_of
