"""Family `application`: a household, or someone for it, asked (申请)."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from contracts.benefits import Benefit
from contracts.envelope import Event
from contracts.vocabulary import GrowingVocabulary


class Channel(GrowingVocabulary):
    """How an application came in."""

    PHONE = "phone"
    WINDOW = "window"
    OFFICER = "officer"


class ApplicationSubmitted(Event):
    """An application was taken in. It starts no legal clock: acceptance does."""

    TYPE: ClassVar[str] = "application.submitted.v1"

    application_id: UUID
    applicant_person_id: UUID
    on_behalf: bool = Field(description="True where a helper applied for the person (代办).")
    channel: Channel
    submitted_in: str = Field(description="Area code of the place where it was handed in.")
    benefits: list[Benefit] = Field(description="What was asked for.")
    persons_count: int = Field(ge=1)
