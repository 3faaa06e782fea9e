"""Whatever dies in whatever order: every committed event takes effect once, in order per case, and none is invented."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

import pytest

from services.runtime import handling, inbox
from services.runtime.kept_events import Kept
from tests.services.runtime.delivery_machine import explore
from tests.services.runtime.service_under_test import ServiceUnderTest
from tests.services.runtime.spine_under_test import MortalRelay, a_spine

pytestmark = pytest.mark.asyncio(loop_scope="session")

EXAMPLES, STEPS = 15, 20
EXAMPLES_UNTIL_FOUND = 60


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failures that may pass are tried again without a pause."""
    monkeypatch.setattr(handling, "RETRY_SECONDS", 0.0)


async def test_every_committed_event_takes_effect_once_in_order(world: ServiceUnderTest) -> None:
    async with a_spine(world) as spine:
        await explore(spine, examples=EXAMPLES, steps=STEPS)


async def test_without_the_inbox_something_takes_effect_twice(
    world: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def claim_all(_driver: Any, _schema: str, event_ids: Collection[UUID]) -> set[UUID]:
        return set(event_ids)

    monkeypatch.setattr(inbox, "claim", claim_all)
    await expect_to_be_found(world)


async def test_with_the_row_deleted_before_it_is_sent_something_is_lost(world: ServiceUnderTest) -> None:
    class DeletingFirst(MortalRelay):
        async def publish(self) -> int:
            connection = await self._connected()
            rows = await connection.fetch(
                f"delete from {self._schema}.outbox returning id, topic, key, headers, value")
            return len(await self._send(sorted(rows, key=lambda row: row["id"])))

    await expect_to_be_found(world, DeletingFirst)


async def test_without_keeping_effects_something_is_lost(
    world: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Kept, "wait_for", lambda *_: None)
    await expect_to_be_found(world)


async def expect_to_be_found(world: ServiceUnderTest, relay_kind: type[MortalRelay] = MortalRelay) -> None:
    """The same exploration finds what is broken."""
    async with a_spine(world) as spine:
        spine.relay_kind = relay_kind
        with pytest.raises(AssertionError):
            await explore(spine, examples=EXAMPLES_UNTIL_FOUND, steps=STEPS, shrink=False)
