"""Which part is killed at which moment of a story."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from deploy.sandbox.player.story import Story
from tests.journeys.city import City

PARTS = (
    *("intake", "verification", "approval", "disbursement", "coordination", "workflows"),
    *("temporal", "postgres", "kafka"),
)


class Kill(NamedTuple):
    """SIGKILL to a part as soon as a story's progress tells of an event; then it is started again."""

    story_id: str
    words: str
    part: str


ONE_AFTER_THE_OTHER = (
    Kill("C4", "item.accepted", "intake"),
    Kill("C4", "visit.ordered", "verification"),
    Kill("C4", "means_check.completed", "kafka"),
    Kill("C4", "decision.proposed", "approval"),
    Kill("C4", "public_notice.opened", "temporal"),
    Kill("C4", "decision.confirmed", "coordination"),
    Kill("C4", "payment.instructed", "disbursement"),
    Kill("C4", "referral.offered", "workflows"),
    Kill("C3", "applied for", "postgres"),
)


async def play_with_kills(city: City, told: Sequence[Story], kills: Sequence[Kill]) -> list[dict[str, Any]]:
    """Play stories while parts are killed and started again; the reports when all is judged.

    The clock is held while a part is away: legal time must not run past what a dead part would have done.
    """
    run_id = await city.begin(told)
    of_story: dict[str, list[Kill]] = defaultdict(list)
    for kill in kills:
        of_story[kill.story_id].append(kill)
    one_at_a_time = asyncio.Lock()

    async def inject(story_id: str) -> None:
        for kill in of_story[story_id]:
            await city.told(run_id, story_id, kill.words)
            async with one_at_a_time:
                await kill_and_start(city, kill.part)

    await asyncio.gather(*map(inject, of_story))
    return await city.finished(run_id)


async def kill_and_start(city: City, part: str) -> None:
    """End a part at once and start it on its data, with legal time held meanwhile."""
    await city.hold_clock()
    await city.supervisor.kill(part)
    await city.supervisor.start(part)
    await city.release_clock()
