"""One city for all journeys. What was played is looked at once, before other tests write into the same city."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest_asyncio

from deploy.local.topic_reader import TopicRecord, read_topics
from tests.journeys.city import City, a_city, stories

COPIES = 2


@dataclass
class Played:
    """What came of the stories."""

    reports: list[dict[str, Any]]
    promises: list[dict[str, Any]]
    records: list[TopicRecord]


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def city() -> AsyncIterator[City]:
    """The running city in which the stories were or will be played."""
    async with a_city(stories()) as running:
        yield running


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def played(city: City) -> Played:
    """All stories, two copies of each with other people at the same time."""
    reports = await city.finished(await city.begin(stories(), copies=COPIES))
    promises = await city.promises()
    return Played(reports, promises, await read_topics(city.supervisor.infrastructure.kafka_bootstrap))
