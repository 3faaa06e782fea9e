"""SIGTERM in the middle of work: a service finishes its batch and leaves, and nothing is lost."""

from __future__ import annotations

import asyncio

import pytest

from tests.faults.tables import Table
from tests.journeys.city import City, until
from tests.services.intake.forms import BAISHA, a_small_emergency

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("survived")]

LEAVING = ("approval", "disbursement", "coordination")
EMERGENCIES = 120
UNDER_WAY = 10
TABLE = Table(
    "Told to leave (SIGTERM)", rows="in the middle of work",
    about="A service finishes the batch it has in hand, leaves with exit code 0, and goes on with the rest when it is "
    "started again.",
)
AT_ONCE = asyncio.Semaphore(8)

DONE_BY = {
    "approval": "select count(*) from approval.items where case_id = any($1)",
    "disbursement": "select count(*) from disbursement.payments where case_id = any($1)",
    "coordination": "select count(*) from coordination.items where case_id = any($1)",
}


async def hand_in(city: City, number: int) -> str:
    async with AT_ONCE:
        answer = await city.apply(a_small_emergency(), f"leaving-{number}", city.officer(BAISHA))
    assert answer.status_code == 201, answer.text
    return answer.json()["case_id"]


async def count(city: City, service: str, case_ids: list[str]) -> int:
    return (await city.rows(DONE_BY[service], case_ids))[0]["count"]


@pytest.mark.cell(TABLE, row=", ".join(LEAVING))
async def test_services_that_are_told_to_leave_finish_and_lose_nothing(city: City) -> None:
    case_ids: list[str] = []

    async def work_comes() -> None:
        for coming in asyncio.as_completed([hand_in(city, number) for number in range(EMERGENCIES)]):
            case_ids.append(await coming)

    async def under_way() -> bool:
        return await count(city, "disbursement", case_ids) >= UNDER_WAY

    async with asyncio.TaskGroup() as group:
        group.create_task(work_comes())
        await until(under_way)
        await asyncio.gather(*(city.supervisor.stop(service) for service in LEAVING))
    assert [city.supervisor.parts[service].child.exit_code for service in LEAVING] == [0, 0, 0]
    # One more after they left: what is not there yet was not lost, only late.
    case_ids.append(await hand_in(city, EMERGENCIES))
    for service in LEAVING:
        assert UNDER_WAY <= await count(city, service, case_ids) < len(case_ids), service
    await asyncio.gather(*(city.supervisor.start(service) for service in LEAVING))

    async def all_done() -> bool:
        return all([await count(city, service, case_ids) == len(case_ids) for service in LEAVING])

    await until(all_done)
    assert await city.violations() == []
