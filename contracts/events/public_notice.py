"""Family `public_notice`: a proposed grant is shown to the neighbours (公示)."""

from __future__ import annotations

from datetime import date
from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from contracts.envelope import Event


class PublicNoticeOpened(Event):
    """Shown: masked name, household size, amount; nothing else."""

    TYPE: ClassVar[str] = "public_notice.opened.v1"

    notice_id: UUID
    decision_id: UUID
    opened_on: date
    ends_on: date = Field(description="Last day of the notice.")
    ends_at: AwareDatetime = Field(description="First moment after the notice (24:00 of its last day).")
    areas: list[str] = Field(description="Where it is posted.")


class PublicNoticeEnded(Event):
    """The notice ran its days without an open objection."""

    TYPE: ClassVar[str] = "public_notice.ended.v1"

    notice_id: UUID
    decision_id: UUID
