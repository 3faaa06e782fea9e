"""Family `means_check`: asking data sources about a household's means (家庭经济状况核对). It never decides."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from contracts.benefits import Source
from contracts.envelope import Event


class AnswerKind(StrEnum):
    """Four different things, never to be confused."""

    DATA = "data"
    NO_RECORD = "no_record"
    NO_ANSWER = "no_answer"
    REFUSED = "refused"


class SourceResult(BaseModel):
    """What one source said about one person, without the figures."""

    model_config = ConfigDict(frozen=True)

    person_id: UUID
    source: Source
    kind: AnswerKind
    as_of: AwareDatetime | None = None


class MeansCheckOpened(Event):
    """A check of this household's means was opened; it waits for the authorisation of the persons named."""

    TYPE: ClassVar[str] = "means_check.opened.v1"

    means_check_id: UUID
    awaiting_person_ids: list[UUID] = Field(description="Who has not authorised yet; for a child a guardian signs.")


class MeansCheckStarted(Event):
    """Everybody has authorised, guardians for children: the sources are being asked."""

    TYPE: ClassVar[str] = "means_check.started.v1"

    means_check_id: UUID
    sources: list[Source]


class MeansCheckCompleted(Event):
    """Every question was answered, or asked until the bound. Some answers may still be `no_answer`."""

    TYPE: ClassVar[str] = "means_check.completed.v1"

    means_check_id: UUID
    report_number: str
    results: list[SourceResult]
    complete: bool = Field(description="False while a required source gave no answer or refused.")
