"""Servers that are there and cannot do their work, and two of what there is one of: all goes on, once."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from contracts.catalogue import SERVICES
from tests.faults.partial_faults import (
    Applications,
    a_city_in,
    a_full_disk,
    a_small_disk,
    batch_in_hand,
    batches_in_hand,
    no_connection_left,
    second_of,
    start_the_dead,
    unresponsive,
    whoever_dies_is_started,
)
from tests.faults.tables import Table
from tests.journeys.city import City, failed, stories, until
from tests.services.intake.forms import a_form, a_small_emergency

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.faults_long]

PARTIAL = Table(
    "Slow and partial: servers", rows="fault", columns="",
    about="Two stories run and applications keep being handed in while each fault lasts. Afterwards each is taken, "
    "and in a small emergency paid, once, and every promise of the house holds.",
)
INJECTED, HOLDS = "injected by", "afterwards"
LEADERLESS_SECONDS = 60
FULL_SECONDS = 30
"""Long enough for the broker to die of it."""
PAID = "state in ('accepted', 'settled')"


@dataclass
class Partial:
    """The city of these tests, the stories played in it, and its disk if that is small."""

    city: City
    run_id: str
    disk: Path | None


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def partial() -> AsyncIterator[Partial]:
    told = stories("C3", "C4")
    with ExitStack() as stack:
        try:
            disk: Path | None = stack.enter_context(a_small_disk())
        except PermissionError:
            disk = None
        folder = disk or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="onething-city-")))
        async with a_city_in(folder, told) as city:
            yield Partial(city, await city.begin(told), disk)


@pytest.mark.cell(PARTIAL, row="a database out of connections", column=INJECTED,
                  says="each service's role may have none, and those it had are ended")
@pytest.mark.cell(PARTIAL, row="a database out of connections", column=HOLDS)
async def test_a_database_out_of_connections_refuses_for_now_and_loses_nothing(partial: Partial) -> None:
    city, applications = partial.city, Applications(partial.city, "no-connection", a_form)
    await applications.hand_in(3)
    async with no_connection_left(city):
        await applications.hand_in(5)
        for service in SERVICES:
            assert (await city.http.get(city.url(service, "/ready"))).status_code == 503
            assert (await city.http.get(city.url(service, "/health"))).status_code == 200
    assert [answer.status_code for answer in applications.answers] == [201] * 3 + [503] * 5
    for answer in applications.answers[3:]:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "unavailable"
        assert "retry-after" in answer.headers
    await everything_goes_on(city, applications, "approval.items")


@pytest.mark.cell(PARTIAL, row="a full disk", column=INJECTED,
                  says="a tmpfs under PostgreSQL, Kafka, Temporal and the logs is filled to the last byte")
@pytest.mark.cell(PARTIAL, row="a full disk", column=HOLDS)
async def test_a_full_disk_loses_nothing_that_was_accepted(partial: Partial) -> None:
    if partial.disk is None:
        pytest.skip("no file system of its own can be mounted here: run as root, or in `unshare -rm`")
    city, applications = partial.city, Applications(partial.city, "full-disk", a_form)
    await applications.hand_in(3)
    async with a_full_disk(partial.disk):
        await applications.go_on(FULL_SECONDS)
    assert applications.statuses() == {201, 503}
    dead = await start_the_dead(city)
    assert not dead & set(SERVICES), "a service outlives a full disk"
    await everything_goes_on(city, applications, "approval.items")


async def test_the_stories_that_ran_meanwhile_hold(partial: Partial) -> None:
    reports = await partial.city.finished(partial.run_id)
    assert failed(reports) == []
    assert await partial.city.violations() == []


@pytest_asyncio.fixture(loop_scope="session")
async def city_of_march(partial: Partial) -> City:
    """The city when C3 has been played: small sums are given at once since January 2026."""
    await partial.city.finished(partial.run_id)
    return partial.city


@pytest.mark.cell(PARTIAL, row="partitions without a leader for a minute", column=INJECTED,
                  says="SIGSTOP to the broker, SIGCONT 60 s later")
@pytest.mark.cell(PARTIAL, row="partitions without a leader for a minute", column=HOLDS)
async def test_without_a_leader_for_a_minute_all_is_accepted_and_goes_on_afterwards(city_of_march: City) -> None:
    city, emergencies = city_of_march, Applications(city_of_march, "no-leader", a_small_emergency)
    await emergencies.hand_in(3)
    with unresponsive(city, "kafka"):
        await emergencies.go_on(LEADERLESS_SECONDS)
    assert emergencies.statuses() == {201}
    await everything_goes_on(city, emergencies, "disbursement.payments", PAID)


@pytest.mark.cell(PARTIAL, row="two relays and two consumers of each service", column=INJECTED,
                  says="a second process of each, started and stopped in the middle of work")
@pytest.mark.cell(PARTIAL, row="two relays and two consumers of each service", column=HOLDS)
async def test_two_processes_of_each_service_do_each_thing_once(city_of_march: City) -> None:
    city, emergencies = city_of_march, Applications(city_of_march, "two-relays", a_small_emergency)
    async with second_of(city, *SERVICES) as seconds:
        await emergencies.hand_in(40)
        for second in seconds:
            await until(lambda second=second: has_handled(city, second.name))
        stopping = asyncio.gather(*(second.stop() for second in seconds))
        await emergencies.hand_in(20)
        await stopping
    await everything_goes_on(city, emergencies, "disbursement.payments", PAID)


async def has_handled(city: City, process: str) -> bool:
    return (await city.http.get(city.url(process, "/quiet"))).json()["handled"] > 0


@pytest.mark.cell(PARTIAL, row="two workflow workers", column=INJECTED,
                  says="a second worker, killed while workflows begin")
@pytest.mark.cell(PARTIAL, row="two workflow workers", column=HOLDS)
async def test_two_workers_share_the_workflows_and_one_may_die(city_of_march: City) -> None:
    city, applications = city_of_march, Applications(city_of_march, "two-workers", a_form)
    async with second_of(city, "workflows") as [second]:
        await applications.hand_in(6)
        await second.kill()
        await applications.hand_in(6)
    await applications.send_again()
    await applications.once_in("coordination.deadlines", of="kind = 'decide'")
    assert await city.violations() == []


@pytest.mark.cell(PARTIAL, row="a rebalance in the middle of a batch", column=INJECTED,
                  says="a second consumer joins while a batch waits in its transaction, then it is killed in one")
@pytest.mark.cell(PARTIAL, row="a rebalance in the middle of a batch", column=HOLDS)
async def test_a_rebalance_in_the_middle_of_a_batch_handles_each_record_once(city_of_march: City) -> None:
    city, emergencies = city_of_march, Applications(city_of_march, "rebalance", a_small_emergency)

    async def in_hand(count: int) -> bool:
        return await batches_in_hand(city, "approval") >= count

    async with batch_in_hand(city, "approval"):
        await emergencies.hand_in(20)
        await until(lambda: in_hand(1))
        async with second_of(city, "approval") as [second]:
            await emergencies.hand_in(20)
            await until(lambda: in_hand(2))
            await second.kill()
            await emergencies.hand_in(5)
    await everything_goes_on(city, emergencies, "disbursement.payments", PAID)


async def everything_goes_on(city: City, applications: Applications, table: str, state: str = "true") -> None:
    """Whatever was refused for now is taken now; each once; nothing breaks a promise."""
    await start_the_dead(city)
    async with whoever_dies_is_started(city):
        await applications.send_again()
        await applications.once_in(table, state=state)
        assert await city.violations() == []
