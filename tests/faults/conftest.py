"""One city for the faults: its stories are played while everything is killed once, and it is used further.

Beside it: what the tests of this folder found is collected for the tables of docs/faults.md (see tables.py).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.faults import tables
from tests.faults.campaign import Outcome, an_armed_city, play_armed
from tests.faults.kills import ONE_AFTER_THE_OTHER, arms_of
from tests.journeys.city import City, stories

_found: dict[str, str] = {}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--cells", type=Path, help="write the cells of docs/faults.md that these tests fill to a file")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """First of all: before any test is deselected or put in another order."""
    file: Path | None = config.getoption("--cells", default=None)
    if file is not None:
        tables.save_cells(file, [cell for item in items for cell in tables.cells_of(item)])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if item.get_closest_marker("cell"):
        if report.failed:
            _found[item.nodeid] = tables.BROKEN
        elif report.skipped:
            _found[item.nodeid] = f"skipped: {report.longrepr[2] if isinstance(report.longrepr, tuple) else ''}"
        elif report.when == "call":
            _found[item.nodeid] = tables.HOLDS
    return report


def pytest_sessionfinish() -> None:
    if _found:
        tables.add_outcomes(_found)


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def city() -> AsyncIterator[City]:
    """The running city in which everything is killed."""
    async with an_armed_city(stories("C3", "C4")) as running:
        yield running


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def survived(city: City) -> Outcome:
    """C3 and C4, with each service and server killed once at a moment of its own."""
    told = {story.id: story for story in stories("C3", "C4")}
    arms = [arm for story_id, step, part in ONE_AFTER_THE_OTHER for arm in arms_of(part, told[story_id], step)]
    return await play_armed(city, list(told.values()), arms)
