"""Background loops of a process: one unit of work at a time, errors visible, retried with backoff."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from services.runtime.problems import error_trace

if TYPE_CHECKING:
    from services.runtime.context import Runtime

log = structlog.get_logger(__name__)

FIRST_BACKOFF_SECONDS = 0.1
LONGEST_BACKOFF_SECONDS = 5.0


def backoff_seconds(failures: int) -> float:
    """How long to wait after so many failures in a row: doubling, bounded, jittered by half."""
    longest = min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2 ** min(failures, 10))
    return longest * random.uniform(0.5, 1.0)


@dataclass(frozen=True)
class Loop:
    """Work a process does by itself.

    `work` does what is there and returns how much that was; after 0 the loop sleeps until it is nudged or
    `poll_seconds` (machine time) are over. `pending` tells how much is left, work under way not counted.
    """

    name: str
    work: Callable[[Runtime], Awaitable[int]]
    pending: Callable[[Runtime], Awaitable[int]]
    poll_seconds: float = 0.05
    next_at: Callable[[Runtime], Awaitable[datetime | None]] | None = None
    """The next legal moment at which there will be work, where time alone brings it."""


class LoopRunner:
    """Runs one loop until it is stopped; a stop lets the unit of work under way finish."""

    def __init__(self, loop: Loop, runtime: Runtime) -> None:
        self.loop = loop
        self.errors_count = 0
        self.failures_in_a_row = 0
        self._runtime = runtime
        self._wake = asyncio.Event()
        self._stopping = False
        self._working = False
        self._task: asyncio.Task[None] | None = None

    @property
    def alive(self) -> bool:
        """True while the loop's task runs."""
        return self._task is not None and not self._task.done()

    def start(self) -> None:
        """Start the task; errors never end it."""
        self._task = asyncio.create_task(self._run(), name=f"loop {self.loop.name}")

    async def stop(self) -> None:
        """Finish the unit of work under way, then end."""
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            await self._task

    def nudge(self) -> None:
        """There is work: do not wait for the next poll."""
        self._wake.set()

    async def pending(self) -> int:
        """What is left to do, counting work under way and a retry being waited for as one."""
        under_way = 1 if self._working or self.failures_in_a_row else 0
        return under_way + await self.loop.pending(self._runtime)

    async def _run(self) -> None:
        while not self._stopping:
            # Hazard: clear before working; a nudge that comes while working must not be lost.
            self._wake.clear()
            handled = await self._work_once()
            if handled:
                self._runtime.count_handled(handled)
            elif not self._stopping:
                await self._sleep()

    async def _work_once(self) -> int:
        self._working = True
        try:
            handled = await self.loop.work(self._runtime)
            self.failures_in_a_row = 0
            return handled
        except Exception as error:
            self.errors_count += 1
            self.failures_in_a_row += 1
            log.warning(
                "loop.failed",
                loop=self.loop.name,
                failures_in_a_row=self.failures_in_a_row,
                **error_trace(error),
            )
            return 0
        finally:
            self._working = False

    async def _sleep(self) -> None:
        if not self.failures_in_a_row:
            await self._wait_for_nudge(self.loop.poll_seconds)
            return
        # A nudge must not turn backoff into a hot loop: only a stop cuts it short.
        ends_at = asyncio.get_running_loop().time() + backoff_seconds(self.failures_in_a_row)
        while not self._stopping and (left := ends_at - asyncio.get_running_loop().time()) > 0:
            self._wake.clear()
            await self._wait_for_nudge(left)

    async def _wait_for_nudge(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), seconds)
