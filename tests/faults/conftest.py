"""One city for the faults: its stories are played while everything is killed once, and it is used further."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest_asyncio

from tests.faults.kills import ONE_AFTER_THE_OTHER, play_with_kills
from tests.journeys.city import City, a_city, stories


@dataclass
class Survived:
    """What came of the stories, and what breaks a promise."""

    reports: list[dict[str, Any]]
    violations: list[str]


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def city() -> AsyncIterator[City]:
    """The running city in which everything is killed."""
    async with a_city(stories("C3", "C4")) as running:
        yield running


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def survived(city: City) -> Survived:
    """C3 and C4, with each service and server killed once at a moment of its own."""
    reports = await play_with_kills(city, stories("C3", "C4"), ONE_AFTER_THE_OTHER)
    return Survived(reports, await city.violations())
