"""What is sent through either side, and how it is handed in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


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


async def moments(things: Sequence[T], *, batch: int, per_second: float | None) -> AsyncIterator[Sequence[T]]:
    """The things in batches; with `per_second` one by one, each not before its moment."""
    if per_second is None:
        for start in range(0, len(things), batch):
            yield things[start : start + batch]
        return
    clock = asyncio.get_running_loop().time
    started_at = clock()
    for number, thing in enumerate(things):
        await asyncio.sleep(max(0.0, started_at + number / per_second - clock()))
        yield [thing]
