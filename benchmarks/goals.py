"""What each figure must reach and what is aimed at. A figure that is not here is reported only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from benchmarks.result import Figure


class Verdict(StrEnum):
    """How a figure stands to its goal."""

    AIM = "aim reached"
    MUST = "must reached"
    MISSED = "must missed"
    SHORT = "below the aim"
    """Where there is an aim and nothing that must be."""


@dataclass(frozen=True)
class Goal:
    """Bounds of the ratio to the floor, or of the value itself."""

    aim: float
    must: float | None = None
    more_is_better: bool = True
    of_ratio: bool = True

    def verdict(self, figure: Figure) -> Verdict:
        """Where this figure stands. Raises ValueError for a figure without what the goal is about."""
        reached = figure.ratio if self.of_ratio else figure.value
        if reached is None:
            raise ValueError("A goal of a ratio needs a figure with a floor.")
        if self._holds(reached, self.aim):
            return Verdict.AIM
        if self.must is None:
            return Verdict.SHORT
        return Verdict.MUST if self._holds(reached, self.must) else Verdict.MISSED

    def _holds(self, reached: float, bound: float) -> bool:
        return reached >= bound if self.more_is_better else reached <= bound

    @property
    def words(self) -> str:
        """For a table: `≥ 0.3, aim 0.6`."""
        sign = "≥" if self.more_is_better else "≤"
        return f"aim {self.aim:g}" if self.must is None else f"{sign} {self.must:g}, aim {self.aim:g}"


GOALS: Final[dict[str, Goal]] = {
    "small-emergency.throughput": Goal(must=0.3, aim=0.6),
    "small-emergency.latency_p50": Goal(must=3, aim=2, more_is_better=False),
    "small-emergency.latency_p99": Goal(must=3, aim=2, more_is_better=False),
    "dibao.proposed": Goal(aim=0.3),
    "dibao.paid": Goal(aim=0.3),
    "applications.one_person": Goal(must=0.5, aim=0.8),
    "applications.household": Goal(must=0.5, aim=0.8),
    "backlog.one_consumer": Goal(must=0.4, aim=0.6),
    "backlog.two_consumers": Goal(must=0.4, aim=0.6),
    "workflows.completed": Goal(aim=0.6),
    "growth.cpu": Goal(must=1.3, aim=1.1, more_is_better=False),
    "growth.database": Goal(must=1.3, aim=1.1, more_is_better=False),
    "rulebook.menu_singly": Goal(aim=5, more_is_better=False, of_ratio=False),
    "rulebook.menu_in_batch": Goal(aim=0.1, more_is_better=False, of_ratio=False),
    "rulebook.screen_three": Goal(must=3, aim=2, more_is_better=False),
    "rulebook.screen_memory": Goal(must=2, aim=1, more_is_better=False, of_ratio=False),
    "memory.total": Goal(must=2.5, aim=1.8, more_is_better=False, of_ratio=False),
    "memory.ready": Goal(aim=10, more_is_better=False, of_ratio=False),
}
