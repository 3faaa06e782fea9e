"""Family `visit`: investigators go to see the household (入户调查)."""

from __future__ import annotations

from datetime import date
from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from contracts.envelope import Event


class VisitOrdered(Event):
    """Two investigators must see the household where it lives."""

    TYPE: ClassVar[str] = "visit.ordered.v1"

    visit_id: UUID
    area: str = Field(description="Area code of the place to be visited; it may lie in another district.")
    performed_by: str = Field(description="Area code of the place whose officers go.")
    findings_wanted: list[str] = Field(description="Findings that only an officer can give.")


class VisitReported(Event):
    """The visit was made and signed by at least two investigators (民发〔2021〕57号)."""

    TYPE: ClassVar[str] = "visit.reported.v1"

    visit_id: UUID
    visited_on: date
    reported_at: AwareDatetime
    investigators: list[str] = Field(min_length=2, description="Officer ids.")
    report_sha256: str = Field(description="Digest of the signed report, for the file of evidence.")
