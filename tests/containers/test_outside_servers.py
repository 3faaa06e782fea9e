"""The same processes run against servers elsewhere, here from images, by settings alone."""

from __future__ import annotations

import contextlib

import pytest

from deploy.cli.invariants import check_all
from deploy.cli.running_stack import RunningStack
from deploy.cli.story import earliest_start
from deploy.cli.story_run import play
from tests.containers.engine import require_engine
from tests.containers.outside_servers import a_city_on_outside_servers
from tests.journeys.city import SETTLING_SECONDS, failed, stories, until

require_engine()
pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_small_emergency_is_helped_on_outside_servers_and_every_promise_holds() -> None:
    told = stories("C3")
    async with a_city_on_outside_servers(earliest_start(told)) as stack:
        assert failed(await play(stack, told)) == []
        assert await broken_promises(stack) == []


async def broken_promises(stack: RunningStack) -> list[str]:
    """What breaks a promise for good: work under way may break some for a moment."""

    async def violations() -> list[str]:
        return [violation for result in await check_all(stack) for violation in result["violations"]]

    async def none() -> bool:
        return not await violations()

    with contextlib.suppress(TimeoutError):
        await until(none, bound_seconds=SETTLING_SECONDS)
    return await violations()
