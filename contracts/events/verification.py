"""Family `verification`: the evidence about an item, brought together."""

from __future__ import annotations

from datetime import date
from typing import ClassVar
from uuid import UUID

from pydantic import Field

from contracts.envelope import Event
from contracts.facts import Fact


class VerificationCompleted(Event):
    """All required evidence about an item is there, or revised: what approval needs, each fact with its origin."""

    TYPE: ClassVar[str] = "verification.completed.v1"

    verification_id: UUID
    revision: int = Field(ge=1, description="Rises with each change of the evidence.")
    facts: list[Fact]
    visited_on: date | None
    visit_report_sha256: str | None = None
