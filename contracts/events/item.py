"""Family `item`: one benefit asked of the one body that decides it (事项), from acceptance to its end."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from contracts.benefits import Benefit, Relation, Standard
from contracts.envelope import Event
from contracts.facts import Fact


class HouseholdMember(BaseModel):
    """A member of the household, without any identifier but ours."""

    model_config = ConfigDict(frozen=True)

    person_id: UUID
    relation: Relation
    is_adult: bool = Field(description="18 or older on the day of acceptance; for a minor a guardian authorises.")
    facts: list[Fact] = Field(default_factory=list[Fact], description="What was declared about this person.")


class SmallSum(BaseModel):
    """A small sum for an emergency, registered and signed by an officer (小额快救, national opinion of 2026-01)."""

    model_config = ConfigDict(frozen=True)

    amount_fen: int = Field(gt=0)
    cause: str = Field(min_length=1, max_length=200, description="Cause of the emergency, as a code of the form.")
    signed_by: str = Field(description="Officer id of the one who registered and confirms it.")


class ItemAccepted(Event):
    """The application for this benefit was accepted (受理). Every legal clock counts from `accepted_at`."""

    TYPE: ClassVar[str] = "item.accepted.v1"

    benefit: Benefit
    application_id: UUID
    accepted_at: AwareDatetime
    submitted_at: AwareDatetime
    needs_verification: bool
    household_id: UUID
    standard: Standard
    applicant_person_id: UUID
    applicant_masked_name: str = Field(description="Surname and asterisks, for the public notice; never the name.")
    members: list[HouseholdMember]
    household_facts: list[Fact] = Field(default_factory=list[Fact])
    living_area: str = Field(description="Area code of where the household lives: visits go there.")
    registered_area: str
    has_electricity_account: bool = False
    near_relative_of_officer: bool = Field(default=False, description="近亲属备案: the county must visit.")
    small_sum: SmallSum | None = None


class ItemSupplementRequested(Event):
    """Something is missing before the item can be accepted; the household was told what, once (一次告知)."""

    TYPE: ClassVar[str] = "item.supplement_requested.v1"

    benefit: Benefit
    missing: list[str] = Field(description="Fields of the one form that are needed.")


class ItemNotAccepted(Event):
    """Not accepted (不予受理): not a refusal, since nothing was examined."""

    TYPE: ClassVar[str] = "item.not_accepted.v1"

    benefit: Benefit
    reason_code: str


class ItemWithdrawn(Event):
    """The household withdrew the item. What was confirmed before stands."""

    TYPE: ClassVar[str] = "item.withdrawn.v1"

    benefit: Benefit
    accepted: bool = Field(default=True, description="False where it was never accepted: no acceptance came or comes.")
