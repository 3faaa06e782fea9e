"""What was seen of one performance of a story, gathered from outside."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from deploy.sandbox.player.cast import Cast
    from deploy.sandbox.player.story import Story


@dataclass(frozen=True)
class SeenEvent:
    """An event as anyone may read it on its topic."""

    type: str
    time: datetime
    case_id: UUID
    item_id: UUID | None
    owner: str | None
    data: dict[str, Any]


@dataclass
class Record:
    """Everything the checks look at."""

    story: Story
    cast: Cast
    case_ids: list[UUID]
    area_codes: dict[str, str]
    events: list[SeenEvent]
    statement: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    dead_letters: dict[str, int] = field(default_factory=dict[str, int])
    electricity_received: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    sources_asked: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def of_type(self, event_type: str, benefit: str | None = None) -> list[SeenEvent]:
        """Events of a type (all versions), of a benefit where one is named, in legal order."""
        return [
            event for event in self.events
            if event.type.rsplit(".v", 1)[0] == event_type
            and (benefit is None or event.data.get("benefit") == benefit)
        ]
