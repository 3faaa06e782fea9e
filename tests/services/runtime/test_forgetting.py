"""What has served is forgotten, in bounded steps, and nothing that may still be needed."""

from __future__ import annotations

import uuid

import pytest

from contracts import catalogue
from services.runtime import inbox
from services.runtime.forgetting import forgetting, rows_of
from tests.services.runtime.service_under_test import ServiceUnderTest

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_inbox_outlives_every_topic_and_then_forgets(
    world: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    longest_hours = max(topic.retention_hours for topic in catalogue.TOPICS)
    ages_hours = {uuid.uuid4(): hours for hours in (0, longest_hours + 1, 3 * longest_hours, 4 * longest_hours)}
    async with world.database.transaction() as tx:
        await tx.driver.execute(
            f"insert into {world.schema}.inbox (event_id, handled_at) "
            "select event_id, clock_timestamp() - make_interval(hours => hours) "
            "from unnest($1::uuid[], $2::int[]) as old (event_id, hours)",
            list(ages_hours), list(ages_hours.values()),
        )
    monkeypatch.setattr(inbox, "FORGOTTEN_AT_ONCE", 1)
    loop = forgetting("inbox", inbox.forget_old)
    assert [await loop.work(world.runtime) for _ in range(3)] == [1, 1, 0]
    async with world.database.transaction() as tx:
        left = await tx.driver.fetch(
            f"select event_id from {world.schema}.inbox where event_id = any($1)", list(ages_hours))
    assert {row["event_id"] for row in left} == {key for key, hours in ages_hours.items() if hours <= longest_hours + 1}
    assert await loop.pending(world.runtime) == 0


@pytest.mark.parametrize(("tag", "count"), [("DELETE 0", 0), ("DELETE 12", 12)])
async def test_postgres_tells_how_many_rows_it_touched(tag: str, count: int) -> None:
    assert rows_of(tag) == count
