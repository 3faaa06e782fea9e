"""Hundreds of ways to die between outbox and inbox: tests/services/runtime has the model, and fewer of them."""

from __future__ import annotations

import pytest

from services.runtime import handling
from tests.services.runtime import conftest
from tests.services.runtime.delivery_machine import explore
from tests.services.runtime.service_under_test import ServiceUnderTest
from tests.services.runtime.spine_under_test import a_spine

EXAMPLES, STEPS = 100, 40
world = conftest.world


@pytest.mark.faults_long
async def test_every_committed_event_takes_effect_once_in_order_whatever_dies(
    world: ServiceUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handling, "RETRY_SECONDS", 0.0)
    async with a_spine(world) as spine:
        await explore(spine, examples=EXAMPLES, steps=STEPS)
