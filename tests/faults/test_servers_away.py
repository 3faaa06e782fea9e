"""A server is away for a while: what can go on goes on, and the rest catches up when it is back."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from contracts.catalogue import APPLICATION, AUTHORISATION, DEADLINE, ITEM
from deploy.local.topic_reader import TopicRecord, read_topics
from tests.faults.tables import Table
from tests.journeys.city import City, until
from tests.services.intake.forms import BAISHA, a_form, a_person, a_small_emergency, an_account, an_authorisation

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("survived")]

MEMBERS = ("applicant", "spouse", "child", "parent")
PAST_EVERY_DEADLINE = timedelta(days=70)
TABLE = Table(
    "A server away", rows="away", columns="and meanwhile",
    about="What can go on goes on, and the rest catches up on its return.",
)


def a_household() -> dict[str, Any]:
    """Four adults, of whom none authorised in the form."""
    members = [a_person(ref=relation, relation=relation) for relation in MEMBERS]
    return a_form(persons=members, accounts=[an_account(holder="applicant")])


async def records_of(city: City, case_id: str) -> list[TopicRecord]:
    return await read_topics(city.supervisor.infrastructure.kafka_bootstrap, key=case_id)


async def sign_for_all(city: City, form: dict[str, Any], receipt: dict[str, Any]) -> list[str]:
    """Every member signs later, one after the other; the letters in their order."""
    person_id = {entry["ref"]: entry["person_id"] for entry in receipt["persons"]}
    letters: list[str] = []
    for number, person in enumerate(form["persons"]):
        answer = await city.http.post(
            city.url("intake", "/authorisations"),
            json={"case_id": receipt["case_id"], "person_id": person_id[person["ref"]],
                  "identity_number": person["identity_number"], "authorisation": an_authorisation()},
            headers=city.headers("citizen", f"citizen:member-{number}"),
        )
        assert answer.status_code == 201, answer.text
        letters.append(answer.json()["authorisation_id"])
    return letters


@pytest.mark.cell(TABLE, row="kafka for {away_seconds} s", column="accepted at once, told in order afterwards")
@pytest.mark.parametrize("away_seconds", [8, pytest.param(30, marks=pytest.mark.faults_long)])
async def test_without_kafka_applications_are_accepted_and_told_in_order_afterwards(
    city: City, away_seconds: int
) -> None:
    begun = asyncio.get_running_loop().time()
    signed: dict[str, list[str]] = {}
    await city.supervisor.stop("kafka")
    number = 0
    # The time is the fault, not a way of waiting: applications keep coming as long as Kafka is away.
    while asyncio.get_running_loop().time() - begun < away_seconds:
        form = a_household()
        answer = await city.apply(form, f"kafka-away-{away_seconds}-{number}")
        assert answer.status_code == 201, answer.text
        signed[answer.json()["case_id"]] = await sign_for_all(city, form, answer.json())
        number += 1
        await asyncio.sleep(0.5)
    await city.supervisor.start("kafka")
    for case_id, letters in signed.items():
        await until(lambda case_id=case_id, letters=letters: all_signed(city, case_id, len(letters)))
    await city.quiet()
    for case_id, letters in signed.items():
        records = await records_of(city, case_id)
        assert [record.data["authorisation_id"] for record in records if record.topic == AUTHORISATION.name] == letters
        assert Counter(record.topic for record in records if record.topic in (APPLICATION.name, ITEM.name)) == {
            APPLICATION.name: 1, ITEM.name: 1,
        }
    assert await city.violations() == []


async def all_signed(city: City, case_id: str, wanted: int) -> bool:
    rows = await city.rows("select count(*) from verification.authorisations where case_id = $1", case_id)
    return rows[0]["count"] == wanted


@pytest.mark.cell(TABLE, row="temporal", column="an emergency is decided and paid")
async def test_without_temporal_an_emergency_is_decided_and_paid(city: City) -> None:
    await city.supervisor.kill("temporal")
    answer = await city.apply(a_small_emergency(), "temporal-away", city.officer(BAISHA))
    assert answer.status_code == 201, answer.text
    case_id = answer.json()["case_id"]
    await until(lambda: is_paid(city, case_id, "accepted"))
    # Two hours later the bank books and sends its statement. The keeper would call it once all is quiet.
    await city.leap(timedelta(hours=3))
    act = {"legal_now": (await city.legal_now()).isoformat(), "leap_number": 0}
    await city.stack.ask("bank", "POST", "/act", json=act)
    await until(lambda: is_paid(city, case_id, "settled"))
    assert not city.supervisor.parts["temporal"].child.alive
    await city.supervisor.start("temporal")
    assert await city.violations() == []


async def is_paid(city: City, case_id: str, state: str) -> bool:
    """Whether the bank has accepted, or settled, the one payment of a case."""
    paid = await city.rows("select state from disbursement.payments where case_id = $1", case_id)
    return [row["state"] for row in paid] == [state]


@pytest.mark.cell(TABLE, row="temporal", column="waits that came due fire once on its return")
async def test_without_temporal_waits_that_came_due_fire_once_on_its_return(city: City) -> None:
    """Nobody has authorised: the investigation and the decision are late whatever the officers do."""
    case_id = (await city.apply(a_household(), "late-waits")).json()["case_id"]
    await until(lambda: deadlines(city, case_id))
    await city.quiet()
    due = {row["deadline_id"]: row for row in await deadlines(city, case_id)}
    await city.supervisor.kill("temporal")
    await city.leap(PAST_EVERY_DEADLINE)
    assert not await passed(city, case_id)
    await city.supervisor.start("temporal")

    async def all_passed() -> bool:
        return {row["state"] for row in await deadlines(city, case_id)} == {"passed"}

    await until(all_passed)
    await city.quiet()
    counted = await passed(city, case_id)
    assert counted == dict.fromkeys(map(str, due), 1), "each deadline that passed is told of once"
    assert len(counted) >= 2
    unwoken = await city.rows(
        "select from coordination.wakes join coordination.deadlines using (deadline_id) "
        "where case_id = $1 and woken_at is null", case_id,
    )
    assert unwoken == []
    assert await city.violations() == []


async def deadlines(city: City, case_id: str) -> list[Any]:
    return await city.rows("select deadline_id, kind, state from coordination.deadlines where case_id = $1", case_id)


async def passed(city: City, case_id: str) -> Counter[str]:
    """How often each deadline of a case was said to have passed."""
    return Counter(
        record.data["deadline_id"]
        for record in await records_of(city, case_id)
        if record.topic == DEADLINE.name and record.type == "deadline.passed"
    )
