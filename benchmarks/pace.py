"""How a load is handed in: as fast as it is taken, or so many a second."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TypeVar

T = TypeVar("T")


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
