"""What cannot be taken in is answered with a problem (RFC 9457) that names the field, and nothing is stored."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import httpx
import pytest

from tests.journeys.city import City
from tests.services.intake.forms import BAISHA, YUBEI, a_form, a_person, an_identity_number, what_happened

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("played")]

FAR_AWAY = date(2099, 1, 1)
WRITTEN_BY_A_FORM = (
    *("persons", "cases", "households", "members", "applications", "items", "joined_items"),
    *("authorisations", "vault_entries", "idempotency_keys"),
)

FAULTY_FORMS: list[tuple[str, dict[str, Any], str]] = [
    ("wrong identity number", {"persons": [a_person(identity_number="500116197001010010")]},
     "persons.0.identity_number"),
    ("born in the future", {"persons": [a_person(identity_number=an_identity_number(born=FAR_AWAY))]},
     "persons.0.identity_number"),
    ("a date in the future", {"what_happened": what_happened(happened_on=str(FAR_AWAY))},
     "what_happened.happened_on"),
    ("negative money", {"persons": [a_person(income={"wage_fen_month": -100})]}, "persons.0.income.wage_fen_month"),
    ("a household without members", {"persons": []}, "persons"),
    ("an unknown area", {"living_area": "500199"}, "living_area"),
]


async def stored(city: City) -> dict[str, int]:
    counts = (f"select '{table}' as name, count(*) from intake.{table}" for table in WRITTEN_BY_A_FORM)
    return {row["name"]: row["count"] for row in await city.rows(" union all ".join(counts))}


def assert_problem(answer: httpx.Response, status: int, field: str | None = None) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == status
    assert problem["title"] and problem["detail"] and problem["type"]
    if field is not None:
        assert field in [error["field"] for error in problem["errors"]]


@pytest.mark.parametrize(
    ("fields", "at_fault"), [row[1:] for row in FAULTY_FORMS], ids=[row[0] for row in FAULTY_FORMS]
)
async def test_a_faulty_form_is_answered_by_field_and_not_stored(
    city: City, fields: dict[str, Any], at_fault: str
) -> None:
    before = await stored(city)
    form = a_form(**fields)
    answer = await city.apply(form, "faulty-form")
    assert_problem(answer, 422, at_fault)
    assert not any(person["identity_number"] in answer.text for person in form["persons"])
    assert await stored(city) == before


async def test_five_megabytes_are_refused(city: City) -> None:
    before = await stored(city)
    assert_problem(await city.apply(a_form(living_address="路" * 1_700_000), "five-megabytes"), 413)
    assert await stored(city) == before


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml"])
async def test_only_json_is_taken(city: City, content_type: str) -> None:
    before = await stored(city)
    headers = {**city.headers("citizen", "citizen:type"), "Idempotency-Key": "wrong-type", "Content-Type": content_type}
    answer = await city.http.post(city.url("intake", "/applications"), content=json.dumps(a_form()), headers=headers)
    assert_problem(answer, 415)
    assert await stored(city) == before


@pytest.mark.parametrize("headers", [
    {"X-Nothing": "at all"},
    {"Authorization": "Bearer e30.e30.e30"},
], ids=["no token", "a token nobody signed"])
async def test_without_a_token_nothing_is_taken(city: City, headers: dict[str, str]) -> None:
    before = await stored(city)
    assert_problem(await city.apply(a_form(), "no-token-here", headers), 401)
    assert await stored(city) == before


async def test_an_officer_of_another_place_takes_nothing_in(city: City) -> None:
    before = await stored(city)
    elsewhere = city.officer(YUBEI)
    answer = await city.apply(a_form(channel="officer", submitted_in=BAISHA), "another-place", elsewhere)
    assert_problem(answer, 403, "submitted_in")
    assert await stored(city) == before


async def test_an_officer_of_another_place_sees_no_case(city: City) -> None:
    receipt = (await city.apply(a_form(living_area=BAISHA), "seen-by-whom")).json()
    path = f"/cases/{receipt['case_id']}"
    ours = city.officer(BAISHA)
    assert (await city.http.get(city.url("intake", path), headers=ours)).status_code == 200
    elsewhere = city.officer(YUBEI)
    assert_problem(await city.http.get(city.url("intake", path), headers=elsewhere), 404)


async def test_a_key_used_for_another_body_is_refused(city: City) -> None:
    first = await city.apply(a_form(), "one-key-only")
    assert first.status_code == 201, first.text
    before = await stored(city)
    assert_problem(await city.apply(a_form(), "one-key-only"), 422, "Idempotency-Key")
    assert await stored(city) == before
