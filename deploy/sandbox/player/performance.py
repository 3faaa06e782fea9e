"""One performance of a story: its cast, its steps, its progress, and what was judged at the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from deploy.sandbox.actor import CHINA
from deploy.sandbox.player.cast import Cast
from deploy.sandbox.player.record import SeenEvent
from deploy.sandbox.player.story import Step, Story

TELLING = ("decision.", "payment.", "award.", "referral.", "case.", "item.", "means_check.", "visit.",
           "public_notice.", "deadline.", "authorisation.")


@dataclass
class Judged:
    """One expectation and what was seen."""

    text: str
    held: bool
    saw: str


@dataclass
class Performance:
    """A story being played."""

    story: Story
    cast: Cast
    copy: int
    case_ids: list[UUID] = field(default_factory=list[UUID])
    progress: list[str] = field(default_factory=list[str])
    judged: list[Judged] | None = None
    begun_at: float = 0.0
    ended_at: float | None = None
    steps_left: list[tuple[datetime, int, Step]] = field(default_factory=list[tuple[datetime, int, Step]])
    prepared: bool = False

    def __post_init__(self) -> None:
        starts = self.story.calendar.start()
        moments = [(step.moment(starts), number, step) for number, step in enumerate(self.story.steps)]
        self.steps_left = sorted(moments, key=lambda entry: entry[:2])

    def next_at(self) -> datetime | None:
        """The next step, or the end; None once judged."""
        if self.judged is not None:
            return None
        return self.steps_left[0][0] if self.steps_left else self.story.calendar.end()

    def tell(self, legal_now: datetime, text: str) -> None:
        """A line of progress."""
        self.progress.append(f"{legal_now.astimezone(CHINA):%Y-%m-%d %H:%M} {text}")

    def tell_event(self, event: SeenEvent) -> None:
        """A line of progress for what happened to the case."""
        name = event.type.rsplit(".v", 1)[0]
        if name.startswith(TELLING):
            details = [str(event.data[key]) for key in ("benefit", "outcome", "answer", "period") if key in event.data]
            fen = event.data.get("amount_fen")
            if isinstance(fen, int):
                details.append(f"{fen // 100}.{fen % 100:02d} yuan")
            self.tell(event.time, f"{name} {' '.join(details)}".rstrip())

    def report(self) -> dict[str, Any]:
        """How it stands, for whoever asked for the run."""
        end = self.story.calendar.end()
        return {
            "id": self.story.id if self.copy == 1 else f"{self.story.id}#{self.copy}",
            "title": self.story.title,
            "state": "finished" if self.judged is not None else "playing" if self.prepared else "waiting",
            "progress": self.progress,
            "passed": self.judged is not None and all(line.held for line in self.judged),
            "expectations": [{"text": j.text, "held": j.held, "saw": j.saw} for j in self.judged or []],
            "legal_days": round((end - self.story.calendar.start()) / timedelta(days=1), 1),
            "real_seconds": round(self.ended_at - self.begun_at, 1) if self.ended_at else None,
            "case_ids": [str(case_id) for case_id in self.case_ids],
        }
