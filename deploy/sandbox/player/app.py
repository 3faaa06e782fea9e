"""The player's process: `POST /runs` plays stories, `GET /runs/{id}` tells how far they are."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import structlog
from fastapi import APIRouter, HTTPException
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from contracts.envelope import new_id
from deploy.sandbox.actor import ActorSettings, QuietActor, actor_app, serve
from deploy.sandbox.player.cast import Cast
from deploy.sandbox.player.expectations import recognise, recognise_all
from deploy.sandbox.player.performance import Judged, Performance
from deploy.sandbox.player.record import Record, SeenEvent
from deploy.sandbox.player.stage import NotNow, Refused, Stage
from deploy.sandbox.player.story import Story
from deploy.sandbox.player.watching import Watcher

log = structlog.get_logger()


class Run(BaseModel):
    """Stories to be played, each in so many copies with other people."""

    model_config = ConfigDict(extra="forbid")

    stories: list[Annotated[Story, AfterValidator(recognise_all)]] = Field(min_length=1, max_length=100)
    copies: int = Field(default=1, ge=1, le=20)
    seed: str = Field(default="1", pattern=r"^[a-z0-9-]{1,20}$")
    """Other people for another seed, in a world where the story was played before."""


class Player(QuietActor):
    """Plays stories: acts for their people when the clock says so."""

    def __init__(self, settings: ActorSettings) -> None:
        self._stage = Stage(settings)
        self._watcher = Watcher(settings.kafka_bootstrap, self._tell)
        self._performances: dict[UUID, list[Performance]] = {}
        self._caught_up: bool | None = None
        self.handled = 0

    async def start(self, run: Run) -> UUID:
        """Cast every story; its steps wait for their moments."""
        codes = await self._stage.area_codes()
        run_id = new_id()
        self._performances[run_id] = [
            Performance(story, Cast(story, f"{story.id}-{run.seed}-{copy}", codes), copy, begun_at=time.monotonic())
            for story in run.stories for copy in range(1, run.copies + 1)
        ]
        return run_id

    def report(self, run_id: UUID) -> dict[str, Any]:
        """How a run stands. Raises KeyError for an unknown run."""
        performances = self._performances[run_id]
        return {"finished": all(part.judged is not None for part in performances),
                "stories": [part.report() for part in performances]}

    async def pending(self) -> int:
        """Records that were not read yet: a judgement has to see everything."""
        return self._watcher.unread

    def next_at(self) -> datetime | None:
        """The earliest step of any performance."""
        moments = [at for part in self._all() if (at := part.next_at()) is not None]
        return min(moments, default=None)

    def drives(self) -> bool:
        """Legal time goes on while a story is being played."""
        return any(part.judged is None for part in self._all())

    async def act(self, legal_now: datetime, leap_number: int) -> int:
        """Do the steps whose moment has come, and judge what has ended."""
        self._caught_up = None
        acted = 0
        for part in self._all():
            while (at := part.next_at()) is not None and at <= legal_now:
                try:
                    await self._advance(part, legal_now)
                except NotNow as reason:
                    log.info("player.waits", story=part.story.id, reason=str(reason))
                    break
                acted += 1
        return acted

    async def _advance(self, part: Performance, legal_now: datetime) -> None:
        if not part.prepared:
            await self._stage.prepare(part)
            part.prepared = True
        if not part.steps_left:
            if self._caught_up is None:  # once for all that end at this moment
                self._caught_up = await self._watcher.caught_up()
            if not self._caught_up:
                raise NotNow("Kafka does not tell whether all was read")
            await self._judge(part)
            return
        _, number, step = part.steps_left[0]
        try:
            part.tell(legal_now, await self._stage.perform(part, step, number, legal_now))
        except Refused as refusal:
            part.tell(legal_now, f"{step.by} could not {step.does}: {refusal}")
        part.steps_left.pop(0)

    async def _judge(self, part: Performance) -> None:
        codes = await self._stage.area_codes()
        record = await self._stage.gather(
            Record(part.story, part.cast, part.case_ids, codes, self._watcher.events_of(part.case_ids)))
        judged: list[Judged] = []
        for text in part.story.expect:
            expectation = recognise(text)
            try:
                seen = expectation.check(record, expectation.words)
                judged.append(Judged(text, seen.held, seen.saw))
            except (KeyError, IndexError) as error:  # what the check looks at never happened
                judged.append(Judged(text, held=False, saw=f"nothing to look at ({type(error).__name__}: {error})"))
        part.judged, part.ended_at = judged, time.monotonic()

    def _all(self) -> list[Performance]:
        return [part for parts in self._performances.values() for part in parts]

    def _tell(self, event: SeenEvent) -> None:
        for part in self._all():
            if event.case_id in part.case_ids:
                part.tell_event(event)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watch the topics while the process lives."""
        watching = asyncio.create_task(self._watcher.watch())
        yield
        watching.cancel()


def main() -> None:
    """Run the player."""
    settings = ActorSettings()  # pyright: ignore[reportCallIssue]  # filled from the environment
    player = Player(settings)
    router = APIRouter()

    @router.post("/runs")
    async def start(body: Run) -> dict[str, UUID]:
        return {"run_id": await player.start(body)}

    @router.get("/runs/{run_id}")
    async def report(run_id: UUID) -> dict[str, Any]:
        try:
            return player.report(run_id)
        except KeyError:
            raise HTTPException(404, "No such run; the player may have been started again since.") from None

    serve(actor_app("player", player, [router]), settings)


if __name__ == "__main__":
    main()
