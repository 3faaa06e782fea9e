"""Family `decision`: what the rulebook proposes and a named officer confirms (审核确认)."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from contracts.benefits import Benefit
from contracts.envelope import Event

AMOUNT_WANTED: Final = "amount_fen"
SMALL_SUM_WITHIN_CAP_WANTED: Final = "small_sum_within_cap"
SMALL_SUM_SIGNATURE_WANTED: Final = "small_sum_signature"
REFUSED_AT_ONCE: Final = frozenset({SMALL_SUM_WITHIN_CAP_WANTED, SMALL_SUM_SIGNATURE_WANTED})
"""What is missing where the registering signature could not give a small sum: the item waits after all."""
SUM_WANTED: Final = REFUSED_AT_ONCE | {AMOUNT_WANTED}
"""What is missing and is no fact: an officer settles it by a sum, not by a finding."""


class Outcome(StrEnum):
    """What a decision says."""

    GRANT = "grant"
    REFUSE = "refuse"


class Period(StrEnum):
    """How a benefit is given."""

    MONTHLY = "monthly"
    ONCE = "once"


class Reason(BaseModel):
    """Why, in words a household can read, with the clause it rests on."""

    model_config = ConfigDict(frozen=True)

    code: str
    zh: str
    en: str
    clause: str


class DecisionProposed(Event):
    """The rulebook was applied to the evidence; an officer has yet to confirm."""

    TYPE: ClassVar[str] = "decision.proposed.v1"

    decision_id: UUID
    benefit: Benefit
    outcome: Outcome
    amount_fen: int | None = Field(default=None, description="Per period for the household; None on refusal.")
    period: Period | None = None
    reasons: list[Reason]
    rulebook_version: str
    level: str = Field(description="Who may confirm: `town` or `county`.")
    confirmable_from: date = Field(description="First day (Asia/Shanghai) on which it may be confirmed.")


class DecisionEvidenceMissing(Event):
    """The evidence neither grants nor refuses: the item waits on the party named. A proposal before it is void."""

    TYPE: ClassVar[str] = "decision.evidence_missing.v1"

    benefit: Benefit
    missing: list[str] = Field(
        description="Names of the facts that are unknown; what an officer settles by a sum (SUM_WANTED); "
                    "`parameter:<path>` for a rule that is not known."
    )
    waits_on: str = Field(description="`officer`, `applicant` or `source`.")
    level: str | None = Field(default=None, description="Whose officer: `town` or `county`; None: the owner's.")


class DecisionConfirmed(Event):
    """A named officer confirmed the decision; a grant starts its award."""

    TYPE: ClassVar[str] = "decision.confirmed.v1"

    decision_id: UUID
    benefit: Benefit
    outcome: Outcome
    amount_fen: int | None = None
    period: Period | None = None
    first_month: date | None = Field(default=None, description="First day of the first month paid.")
    confirmed_at: AwareDatetime
    confirmed_by: str = Field(description="Officer id.")
    reasons: list[Reason]
    small_sum: bool = Field(default=False, description="Confirmed with the registering signature (小额快救).")
