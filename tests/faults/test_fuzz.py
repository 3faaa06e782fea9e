"""Ten thousand calls to every service, by its OpenAPI and against it: see tests/fuzz for what no answer may be."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deploy.local.infrastructure import Infrastructure
from tests.fuzz.fuzzed_service import SERVICES, a_fuzzed_service, a_postgres
from tests.fuzz.fuzzing import Fuzzing

SEED = 20_250_106
CALLS = 10_000


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def postgres() -> AsyncIterator[Infrastructure]:
    async with a_postgres() as running:
        yield running


@pytest.mark.faults_long
@pytest.mark.parametrize("name", SERVICES)
async def test_no_call_breaks_a_service_or_leaves_a_trace_where_it_is_refused(
    postgres: Infrastructure, name: str
) -> None:
    async with a_fuzzed_service(postgres, name) as service:
        tally = await Fuzzing(service, SEED).run(CALLS)
        print(f"\n{name}: {tally}")
        assert tally.calls_count >= CALLS
