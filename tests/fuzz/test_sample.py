"""A sample of the calls that `make faults` makes by ten thousands: no service may fail, leak or store on refusal."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deploy.local.infrastructure import Infrastructure
from tests.fuzz.fuzzed_service import SERVICES, a_fuzzed_service, a_postgres
from tests.fuzz.fuzzing import Fuzzing

SEED = 1
CALLS = 100


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def postgres() -> AsyncIterator[Infrastructure]:
    async with a_postgres() as running:
        yield running


@pytest.mark.parametrize("name", SERVICES)
async def test_every_answer_is_documented_discreet_and_without_a_trace_where_it_refuses(
    postgres: Infrastructure, name: str
) -> None:
    async with a_fuzzed_service(postgres, name) as service:
        tally = await Fuzzing(service, SEED).run(CALLS)
        print(f"\n{name}: {tally}")
