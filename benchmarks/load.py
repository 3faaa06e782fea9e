"""What is sent through either side."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    """So many cases: in batches as fast as they are taken, or one by one at a steady pace."""

    cases: int
    batch: int = 1
    per_second: float | None = None
    hands: int = 1
    """How many transactions are under way at a time."""

    def arguments(self) -> list[str]:
        """For the floor's intake process."""
        pace = [] if self.per_second is None else ["--per-second", str(self.per_second)]
        return ["--cases", str(self.cases), "--batch", str(self.batch), "--hands", str(self.hands), *pace]
