"""Facts about a person or a household: each with an origin and an as-of date.

A fact that is absent is unknown. Unknown is never a default: it neither grants nor refuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from contracts.benefits import Standard
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
    GUARDIANSHIP = "guardianship"
    """A ``Guardianship``: who a child is left with."""
    LIVES_IN_INSTITUTION = "lives_in_institution"
    """Kept in an institution (集中供养) rather than at home (分散供养)."""
    SELF_CARE_FAILED = "self_care_failed_items"
    """How many of the six self-care items (生活自理能力) are failed: an assessor's finding."""
    HAS_ABLE_SUPPORTER = "has_able_supporter"
    """Someone is bound by law to support the person, and able to (法定赡养、抚养、扶养义务人)."""
    SCHOOL_STAGE = "school_stage"
    """A ``SchoolStage``."""
    BOARDS_AT_SCHOOL = "boards_at_school"
    UNIVERSITY_ENTRANCE = "university_entrance"
    """A ``UniversityEntrance`` of this year."""
    ILLNESS_LIST = "illness_list"
    """Number of the place's list on which the illness stands; 0 where on none."""
    RECEIVES_TEKUN = "receives_tekun"
    """Kept as tekun already (在享特困供养): a child that is stays so beyond the age to be taken in."""
    SENIOR_GRANT_CLASS = "senior_grant_class"
    """A ``SeniorGrantClass``, as the school found it."""

    STANDARD = "standard"
    """Which local standard applies: ``urban`` or ``rural``."""
    ASSETS_WITHIN_LOCAL_LIMIT = "assets_within_local_limit"
    """A finding signed by an officer, with the document it relies on."""
    SUPPORT_INCOME = "support_income_fen_month"
    """Owed by relatives outside the household (赡养费, 抚养费, 扶养费)."""
    SUPPORT_FROM_ELDERLY = "support_from_elderly_fen_month"
    """The part of it owed by those whose age lets the place disregard it."""
    RECOGNISED_EXPENSE = "recognised_expense_fen_month"
    """Expense of illness, disability, schooling or work that an officer recognised for deduction (刚性支出核减)."""
    DIBAO_TIER = "dibao_tier"
    """A ``DibaoTier``, where a place pays by tiers."""
    APPLIES_ALONE = "applies_alone"
    """One person applies apart from the family they live with (单人户)."""
    FAMILY_INCOME = "family_income_fen_month"
    """Of the family that one who applies alone lives with, all members together."""
    FAMILY_MEMBERS = "family_members_count"
    RECOGNISED_AS = "recognised_as"
    """A ``RecognisedAs``: what the household has been recognised as and still is."""
    RIGID_EXPENSE = "rigid_expense_fen_12_months"
    INCOME_WITHIN_RIGID_LIMIT = "income_within_rigid_expense_limit"
    """A finding signed by an officer: income is below the local disposable income of last year."""
    SINGLE_PARENT = "single_parent"
    FAMILY_PLANNING_SUPPORT = "family_planning_special_support"
    CHILDLESS = "childless"
    EMERGENCY_CAUSE = "emergency_cause"
    """An ``EmergencyCause``."""
    OWN_COST = "own_cost_fen"
    """What the cause has cost the household itself, after every insurance."""
    EMERGENCY_MONTHS = "emergency_months"
    """For how many months of living the emergency calls: an officer's finding."""
    AMOUNT_FOUND = "amount_fen"
    """The sum that the office sets where the place's rule leaves it to the office (一事一议, 分档)."""
    HELPED_FOR_SAME_CAUSE = "helped_for_same_cause_this_year"
    BEREAVED = "bereaved_count"
    """Members lost in a disaster."""
    INCOME_ABOVE_SINCE = "income_above_since"
    """The day from which the income of a household on dibao has reached the standard (渐退)."""
    CPI_RISE = "cpi_rise_per_mille"
    FOOD_RISE = "food_rise_per_mille"
    ASSISTANCE_GROUP = "assistance_group"
    """An ``AssistanceGroup``: what the household is when an emergency strikes, as the officer finds it."""
    INCOME_FOUND = "income_found_fen_month"
    """Of the whole household, as the officer finds it in an emergency, without a means check."""
    DECIDED_INDIVIDUALLY = "decided_individually"
    """A panel or the county decided the sum individually (一事一议): an officer's finding."""
    CHARITY_AMOUNT = "charity_amount_fen"
    """The sum that the charity fund sets."""
    KEPT_BY_RELATIVES = "kept_by_relatives"
    """The one who applies alone is kept by relatives (靠亲属供养): an officer's finding."""
    PRICE_SUBSIDY = "price_subsidy_fen_month"
    """A head, as the place published it for the month (价格临时补贴标准)."""
    DISPOSABLE_INCOME = "disposable_income_fen_year"
    """A head, of the place and the year before, of which deductibles of medical aid are shares (人均可支配收入)."""
    CLASS_FIVE_AREA = "class_five_area"
    """The household lives in an area of class five or above (五类及以上艰苦地区): an officer's finding."""
    MEDICAL_AID_FOUND = "medical_aid_found_fen_year"
    """What medical insurance set as aid for a household whose share was not read (医疗救助核定金额)."""


class Guardianship(StrEnum):
    """Who a child is left with."""

    PARENTS = "parents"
    ORPHAN = "orphan"
    """孤儿"""
    DE_FACTO_ORPHAN = "de_facto_orphan"
    """事实无人抚养儿童"""


class SchoolStage(StrEnum):
    """What school a person goes to."""

    NONE = "none"
    PRESCHOOL = "preschool"
    PRIMARY = "primary"
    MIDDLE = "middle"
    SENIOR = "senior"
    UNIVERSITY = "university"


class SeniorGrantClass(StrEnum):
    """Class of a senior pupil's grant (普通高中国家助学金): of the two whose sums were read."""

    NONE = "none"
    HIGHER = "higher"
    LOWER = "lower"


class UniversityEntrance(StrEnum):
    """Whether and where a person enters a university this year."""

    NONE = "none"
    INSIDE_PROVINCE = "inside_province"
    OUTSIDE_PROVINCE = "outside_province"


class DisabilityKind(StrEnum):
    """Kind on the certificate (GB/T 26341-2010)."""

    NONE = "none"
    VISUAL = "visual"
    HEARING = "hearing"
    SPEECH = "speech"
    PHYSICAL = "physical"
    MENTAL = "mental"
    INTELLECTUAL = "intellectual"
    MULTIPLE = "multiple"


class DibaoTier(StrEnum):
    """Tiers of places that pay no difference (A, B and C档)."""

    HIGH = "high"
    MIDDLE = "middle"
    LOW = "low"


class RecognisedAs(StrEnum):
    """What a household is recognised as (困难家庭类型)."""

    NONE = "none"
    TEKUN = "tekun"
    DIBAO = "dibao"
    DIBAO_MARGIN = "dibao_margin"
    RIGID_EXPENSE = "rigid_expense"
    RETURNED_TO_POVERTY = "returned_to_poverty"
    POOR_BY_ILLNESS = "poor_by_illness"


class EmergencyCause(StrEnum):
    """What brought the household into need."""

    NONE = "none"
    ILLNESS = "illness"
    INJURY = "injury"
    DISASTER = "disaster"
    UNIVERSITY = "university"
    OTHER = "other"
    UNSTATED = "unstated"
    """Something happened; which of these was not found: the sum is set case by case."""


class AssistanceGroup(StrEnum):
    """Groups by which a place grades temporary assistance (临时救助对象类别)."""

    NONE = "none"
    TEKUN = "tekun"
    ORPHAN = "orphan"
    DIBAO = "dibao"


HOUSEHOLD_FACTS: Final = frozenset(list(FactName)[list(FactName).index(FactName.STANDARD):])
"""About the household as a whole; every other fact is about one person."""

FACT_WORDS: Final[Mapping[FactName, type[StrEnum]]] = {
    FactName.DISABILITY_KIND: DisabilityKind,
    FactName.GUARDIANSHIP: Guardianship,
    FactName.SCHOOL_STAGE: SchoolStage,
    FactName.UNIVERSITY_ENTRANCE: UniversityEntrance,
    FactName.SENIOR_GRANT_CLASS: SeniorGrantClass,
    FactName.STANDARD: Standard,
    FactName.DIBAO_TIER: DibaoTier,
    FactName.RECOGNISED_AS: RecognisedAs,
    FactName.EMERGENCY_CAUSE: EmergencyCause,
    FactName.ASSISTANCE_GROUP: AssistanceGroup,
}
"""Facts travel in events, so those told in words have these words only: a free text could name a person."""

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
