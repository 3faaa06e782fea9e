"""The same application sent twice at once is one case; one person asks for one benefit once."""

from __future__ import annotations

import asyncio

import pytest

from tests.journeys.city import City
from tests.services.intake.forms import a_form

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("played")]

AT_ONCE = 6
CASES = "select count(*) from intake.cases"
ITEMS = "select count(*) from intake.items"
ITEMS_ELSEWHERE = "select count(*) from approval.items"


async def count(city: City, statement: str) -> int:
    return (await city.rows(statement))[0]["count"]


async def test_the_same_application_at_once_is_one_case(city: City) -> None:
    cases, items = await count(city, CASES), await count(city, ITEMS)
    form = a_form()
    answers = await asyncio.gather(*(city.apply(form, "pressed-twice") for _ in range(AT_ONCE)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert (await count(city, CASES), await count(city, ITEMS)) == (cases + 1, items + 1)


async def test_two_keys_of_one_person_at_once_are_one_item(city: City) -> None:
    cases, items = await count(city, CASES), await count(city, ITEMS)
    form = a_form()
    citizen = city.headers("citizen", "citizen:hurried")
    answers = await asyncio.gather(*(city.apply(form, f"hurried-{n}", citizen) for n in range(AT_ONCE)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["case_id"] for answer in answers}) == 1
    assert (await count(city, CASES), await count(city, ITEMS)) == (cases + 1, items + 1)


async def test_two_people_asking_at_once_for_the_same_person_are_one_item(city: City) -> None:
    await city.quiet()
    items, decided = await count(city, ITEMS), await count(city, ITEMS_ELSEWHERE)
    form = a_form()
    answers = await asyncio.gather(*(city.apply(form, f"stranger-{n}") for n in range(AT_ONCE)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({frozenset(answer.json()) for answer in answers}) == 1, "the answer must not tell who was first"
    assert await count(city, ITEMS) == items + 1
    await city.quiet()
    assert await count(city, ITEMS_ELSEWHERE) == decided + 1
