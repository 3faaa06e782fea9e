"""Family `case`: the household's one thing as a whole (一件事办件)."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from contracts.benefits import Benefit
from contracts.envelope import Event


class ItemResult(BaseModel):
    """How one item ended."""

    model_config = ConfigDict(frozen=True)

    item_id: UUID
    benefit: Benefit
    result: str = Field(description="granted, refused, not_accepted, withdrawn, not_ours or already_has.")
    amount_fen: int | None = None
    decided_by: str = Field(description="Area code or department.")


class CaseConcluded(Event):
    """The closing notice: every item ended and every referral answered. Awards live on after it."""

    TYPE: ClassVar[str] = "case.concluded.v1"

    concluded_at: AwareDatetime
    results: list[ItemResult]
