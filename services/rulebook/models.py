"""What is asked of the rulebook and what it answers."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.benefits import Benefit, Department, Relation, Source
from contracts.events.decision import Period, Reason
from contracts.events.referral import Joining
from contracts.facts import Fact, FactName
from services.rulebook.dated_parameters import ParameterUsed

AreaCode = Annotated[str, Field(pattern=r"^(\d{6}|\d{9}|\d{12})$")]
DecidingLevel = Literal["town", "county"]
AssessedOutcome = Literal["grant", "refuse", "evidence_missing"]
Informant = Literal["officer", "applicant", "source", "rulebook"]


class Answer(BaseModel):
    """Base of everything that is passed in and out; values never change."""

    model_config = ConfigDict(frozen=True)


class Member(Answer):
    """A member of the household, and what is known about them."""

    person_id: UUID
    relation: Relation
    facts: list[Fact] = []


class HouseholdFacts(Answer):
    """One household on one day in one place, and what is known about it."""

    key: str = Field(description="The caller's own; comes back with the answer.")
    place: AreaCode
    on: date
    members: Annotated[list[Member], Field(min_length=1)]
    facts: list[Fact] = Field(default_factory=list[Fact], description="About the household as a whole.")
    as_declared: bool = Field(default=False, description="Take facts as told, of whatever origin: for a menu, "
                                                         "never for a decision.")

    @model_validator(mode="after")
    def _each_person_once(self) -> HouseholdFacts:
        if len({member.person_id for member in self.members}) < len(self.members):
            raise ValueError("members: one person is named twice. Name each once.")
        return self


class AssessmentRequest(HouseholdFacts):
    """One household, one benefit, one place, one day."""

    benefit: Benefit


class AmountLine(Answer):
    """A part of the amount: the difference, or one top-up and the person it is for."""

    code: str
    amount_fen: int
    person_id: UUID | None = None


class MissingFact(Answer):
    """What is unknown and who can tell it."""

    person_id: UUID | None = None
    name: str = Field(description="A FactName, or `parameter:<path>` (rule unknown).")
    from_whom: Informant
    source: Source | None = Field(default=None, description="Which data source, where one can tell it.")


class Assessment(Answer):
    """What the household is owed, and why. Money in fen."""

    key: str
    benefit: Benefit
    outcome: AssessedOutcome
    amount_fen: int | None = Field(
        default=None, description="Of the household, per period; None if not granted, or if no money is given."
    )
    level: DecidingLevel | None = Field(default=None, description="Who decides, where the sum says so.")
    period: Period | None = None
    given_per: Literal["monthly", "once", "yearly", "term"] | None = None
    first_month: date | None = Field(
        default=None, description="First day of the first month paid, were it confirmed on that day."
    )
    lines: list[AmountLine] = []
    reasons: list[Reason] = []
    missing: list[MissingFact] = []
    parameters: list[ParameterUsed] = []
    trace: dict[str, Any] = Field(default_factory=dict, description="Every calculated value, and from what.")
    rulebook_version: str


class Evidence(Answer):
    """What must be known before a benefit is assessed."""

    person_facts_adult: list[FactName]
    person_facts_child: list[FactName]
    household_facts: list[FactName]
    visit: bool
    sources: list[Source] = Field(description="Data sources that can tell what is required.")
    findings: list[FactName] = Field(description="What only an officer can find, with a document cited.")


class Term(Answer):
    """A length of time that the law or a promise sets."""

    days: int
    unit: Literal["working_days", "calendar_days"]


class Terms(Answer):
    """The clocks of an item; None where no rule is known. All but the notice count from acceptance."""

    investigate_by: Term | None
    decide_by: Term | None = Field(description="Statutory.")
    promised_by: Term | None = Field(description="What the place promises, beside the statutory term.")
    refusal_told_by: Term | None
    notice: Term | None = Field(description="Public notice, counted from its opening.")
    small_sum_paid_by: Term | None
    reminder_fractions: tuple[float, ...]
    clauses: dict[str, ParameterUsed]


class PaymentRule(Answer):
    """When a monthly benefit is paid."""

    first_month: Literal["decision_month", "next_month"]
    pay_day: int


class CatalogueItem(Answer):
    """An item of another department that a grant opens."""

    code: Benefit
    department: Department
    joins: Joining
    answer_by: Term = Field(description="The department's own clock, from the referral.")
    result_type: Literal["money", "fee_waiver", "service"]
    amount_fen_month: int | None = None
    list_by_day: int | None = Field(default=None, description="Day of the month to name the household by.")
    paid_by_day: int | None = Field(default=None, description="Day of the month the department pays by.")
    bank_by_day: int | None = Field(default=None, description="Day of the month the bank has it by.")
    clause: str
