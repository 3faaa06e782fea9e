"""Workflows that only wait, for the tests; a module of their own because the sandbox loads it anew."""

from __future__ import annotations

from datetime import datetime

from temporalio import workflow

from contracts.processes import Leap, Message
from workflows.legal_wait import LegalWait, OnLegalTime


class Start(Message):
    wake_at: datetime | None
    leap: Leap = Leap()


class Outcome(Message):
    came: bool
    leap_number: int


@workflow.defn(name="WaitOnce")
class WaitOnce(OnLegalTime):
    @workflow.init
    def __init__(self, start: Start) -> None:
        self.clock = LegalWait(start.leap)
        self.papers_came = False

    @workflow.run
    async def run(self, start: Start) -> Outcome:
        came = await self.clock.until(lambda: self.papers_came, start.wake_at)
        return Outcome(came=came, leap_number=self.clock.leap.number)

    @workflow.signal
    def papers(self, leap: Leap) -> None:
        self.clock.learn(leap)
        self.papers_came = True

    @workflow.query
    def knows(self) -> int:
        return self.clock.leap.number


@workflow.defn(name="Breaks")
class Breaks:
    @workflow.run
    async def run(self) -> None:
        raise KeyError("a mistake of ours")
