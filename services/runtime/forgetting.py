"""Loops that delete rows which have served, so that no table grows for ever. Machine time; never pending."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from services.runtime.loops import Loop

if TYPE_CHECKING:
    from services.runtime.context import Runtime
    from services.runtime.database import Transaction

EVERY_SECONDS: Final = 3_600.0


def forgetting(name: str, forget: Callable[[Transaction], Awaitable[int]]) -> Loop:
    """A loop that calls `forget` at the start and each hour, again and again until it finds nothing.

    `forget` deletes a bounded number of rows and returns how many, so that no transaction holds many locks.
    """

    async def work(runtime: Runtime) -> int:
        async with runtime.database.transaction() as tx:
            return await forget(tx)

    async def pending(_runtime: Runtime) -> int:
        return 0  # nobody waits for it, least of all legal time

    return Loop(name, work, pending, poll_seconds=EVERY_SECONDS)


def rows_of(command_tag: str) -> int:
    """How many rows a statement touched, from Postgres's answer (`DELETE 12`)."""
    return int(command_tag.rpartition(" ")[2])
