"""What cannot be taken in is refused with the field's name, and nothing is stored."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from tests.services.intake.forms import (
    JIANGJIN,
    JIJIANG,
    TODAY,
    YUBEI,
    a_form,
    a_person,
    a_small_emergency,
    an_account,
    an_identity_number,
    what_happened,
)
from tests.services.intake.intake_under_test import Intake

GOOD = an_identity_number()
NOT_YET_BORN = an_identity_number(born=date(2026, 3, 10))
WRONG_CHECK_DIGIT = GOOD[:-1] + ("0" if GOOD[-1] != "0" else "1")
NO_SUCH_DAY = "500116197013010014"
TABLES = ("persons", "cases", "applications", "items", "vault_entries", "idempotency_keys", "outbox")

CITIZENS_FAULTS: list[tuple[str, dict[str, Any], str]] = [
    ("wrong check digit", {"persons": [a_person(identity_number=WRONG_CHECK_DIGIT)]}, "persons.0.identity_number"),
    ("no such day of birth", {"persons": [a_person(identity_number=NO_SUCH_DAY)]}, "persons.0.identity_number"),
    ("born tomorrow", {"persons": [a_person(identity_number=NOT_YET_BORN)]}, "persons.0.identity_number"),
    ("15 digits", {"persons": [a_person(identity_number=GOOD[:15])]}, "persons.0.identity_number"),
    ("19 characters", {"persons": [a_person(identity_number=GOOD + "1")]}, "persons.0.identity_number"),
    ("unknown province", {"persons": [a_person(identity_number=an_identity_number(area="990116"))]},
     "persons.0.identity_number"),
    ("same person twice", {"persons": [a_person(identity_number=GOOD),
                                       a_person(ref="again", relation="child", identity_number=GOOD)]},
     "persons.1.identity_number"),
    ("same ref twice", {"persons": [a_person(), a_person(relation="child")]}, "persons.1.ref"),
    ("no members", {"persons": []}, "persons"),
    ("no applicant", {"persons": [a_person(relation="spouse")]}, "persons"),
    ("two applicants", {"persons": [a_person(), a_person(ref="other")]}, "persons"),
    ("empty name", {"persons": [a_person(name="  ")]}, "persons.0.name"),
    ("unknown place of registration", {"persons": [a_person(registered_area="999999")]}, "persons.0.registered_area"),
    ("unknown living area", {"living_area": "500199"}, "living_area"),
    ("area of 7 digits", {"submitted_in": "5001161"}, "submitted_in"),
    ("negative wage", {"persons": [a_person(income={"wage_fen_month": -1})]}, "persons.0.income.wage_fen_month"),
    ("wage as a fraction", {"persons": [a_person(income={"wage_fen_month": 0.5})]}, "persons.0.income.wage_fen_month"),
    ("it will happen tomorrow", {"what_happened": what_happened(happened_on="2026-03-10")},
     "what_happened.happened_on"),
    ("emergency without a story", {"benefits": ["temporary_assistance"]}, "what_happened"),
    ("the same benefit twice", {"benefits": ["dibao", "dibao"]}, "benefits"),
    ("account of nobody", {"accounts": [an_account(holder="nobody")]}, "accounts.0.holder"),
    ("two accounts of one person", {"accounts": [an_account(), an_account()]}, "accounts.1.holder"),
    ("no promise of truth", {"promise_of_truth": False}, "promise_of_truth"),
    ("a small sum by a citizen", {"benefits": ["temporary_assistance"], "what_happened": what_happened(),
                                  "small_sum": {"amount_fen": 100}}, "small_sum"),
    ("an officer's channel", {"channel": "officer"}, "channel"),
    ("a misspelt field", {"benefitz": ["dibao"]}, "benefitz"),
]


@pytest.mark.parametrize(("fields", "at_fault"), [row[1:] for row in CITIZENS_FAULTS],
                         ids=[row[0] for row in CITIZENS_FAULTS])
async def test_a_faulty_form_is_refused_by_field_and_not_stored(
    intake: Intake, fields: dict[str, Any], at_fault: str
) -> None:
    before = [await intake.count(table) for table in TABLES]
    form = a_form(**fields)
    answer = await intake.apply(form)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert at_fault in [error["field"] for error in answer.json()["errors"]]
    for person in form["persons"]:
        assert person["identity_number"] not in answer.text
    assert [await intake.count(table) for table in TABLES] == before


@pytest.mark.parametrize(("fields", "at_fault"), [
    ({"amount_fen": 63_001}, "small_sum.amount_fen"),
    ({"what_happened": None}, "what_happened"),
    ({"benefits": ["dibao"]}, "small_sum"),
    ({"near_relative_of_officer": True}, "small_sum"),
], ids=["above one month of dibao", "without a story", "without temporary assistance", "for an officer's relative"])
async def test_a_small_sum_has_its_bounds(intake: Intake, fields: dict[str, Any], at_fault: str) -> None:
    answer = await intake.apply(a_small_emergency(**fields), intake.officer())
    assert answer.status_code == 422, answer.text
    assert at_fault in [error["field"] for error in answer.json()["errors"]]


async def test_the_county_registers_a_small_sum_for_an_officers_relative(intake: Intake) -> None:
    form = a_small_emergency(near_relative_of_officer=True)
    answer = await intake.apply(form, intake.officer(JIANGJIN))
    assert answer.status_code == 201, answer.text


async def test_the_cap_of_a_small_sum_is_named(intake: Intake) -> None:
    answer = await intake.apply(a_small_emergency(amount_fen=63_001), intake.officer())
    [error] = answer.json()["errors"]
    assert "63000 fen (630.00 yuan)" in error["message"]
    assert str(TODAY) in error["message"]


async def test_no_small_sum_before_the_national_opinion_of_2026(intake: Intake) -> None:
    intake.database.today = date(2026, 1, 28)
    form = a_small_emergency(what_happened=what_happened(happened_on="2026-01-27"))
    answer = await intake.apply(form, intake.officer())
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "small_sum"


@pytest.mark.parametrize("key", [None, "short", "k" * 81], ids=["missing", "too short", "too long"])
async def test_an_idempotency_key_is_needed(intake: Intake, key: str | None) -> None:
    headers = {**intake.citizen(), **({"Idempotency-Key": key} if key else {})}
    answer = await intake.http.post("/applications", json=a_form(), headers=headers)
    assert answer.status_code == 422
    assert "idempotency-key" in answer.json()["errors"][0]["field"].lower()


@pytest.mark.parametrize("first", ["NaN", '"\\ud800"', "1e999"])
async def test_a_form_that_readers_of_json_would_differ_about_is_refused(intake: Intake, first: str) -> None:
    before = await intake.count("cases")
    body = f'{{"channel": {first}, {json.dumps(a_form())[1:]}'
    headers = {**intake.citizen(), "Idempotency-Key": "said-twice", "Content-Type": "application/json"}
    answer = await intake.http.post("/applications", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "json_ambiguous")
    assert await intake.count("cases") == before


async def test_an_officer_takes_in_only_in_the_own_jurisdiction(intake: Intake) -> None:
    before = await intake.count("cases")
    for submitted_in in (JIJIANG, YUBEI):
        answer = await intake.apply(a_form(submitted_in=submitted_in), intake.officer())
        assert answer.status_code == 403
        assert answer.json()["errors"][0]["field"] == "submitted_in"
    assert await intake.count("cases") == before


async def test_a_helper_says_on_whose_behalf(intake: Intake) -> None:
    helper = intake.token("helper:1", "helper")
    assert (await intake.apply(a_form(), helper)).json()["errors"][0]["field"] == "on_behalf"
    form = a_form(on_behalf={"reason": "住院", "relation": "邻居"})
    assert (await intake.apply(form, helper)).status_code == 201


@pytest.mark.parametrize("role", ["operator", "keeper", "actor"])
async def test_others_do_not_apply(intake: Intake, role: str) -> None:
    assert (await intake.apply(a_form(), intake.token("someone", role))).status_code == 403
