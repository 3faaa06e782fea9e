"""A person authorises later, from anywhere, and proves to be that person."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from contracts.envelope import new_id
from tests.services.intake.forms import a_form, a_person, an_account, an_authorisation, an_identity_number
from tests.services.intake.intake_under_test import Intake


async def a_couple(intake: Intake) -> tuple[dict[str, Any], dict[str, Any]]:
    """A couple, of whom the wife has not signed: the receipt and her person on the form."""
    wife = a_person(ref="wife", relation="spouse")
    form = a_form(persons=[a_person(authorisation=an_authorisation()), wife])
    return (await intake.apply(form)).json(), wife


async def sign(
    intake: Intake, case_id: Any, person_id: Any, number: str, **authorisation: Any
) -> httpx.Response:
    command = {"case_id": str(case_id), "person_id": str(person_id), "identity_number": number,
               "authorisation": {**an_authorisation(), **authorisation}}
    return await intake.http.post("/authorisations", json=command, headers=intake.citizen())


async def test_the_wife_signs_from_elsewhere(intake: Intake) -> None:
    receipt, wife = await a_couple(intake)
    her_id = receipt["persons"][1]["person_id"]
    answer = await sign(intake, receipt["case_id"], her_id, wife["identity_number"])
    assert answer.status_code == 201
    number = answer.json()["number"]
    assert number.startswith("2026-500116-")
    signed = [data for kind, data in await intake.events_of(receipt["case_id"]) if kind == "authorisation.signed"]
    assert [event["person_id"] for event in signed] == [person["person_id"] for person in receipt["persons"]]
    assert signed[1]["number"] == number


async def test_signing_twice_gives_the_first_letter(intake: Intake) -> None:
    receipt, wife = await a_couple(intake)
    her_id = receipt["persons"][1]["person_id"]
    answers = await asyncio.gather(*(sign(intake, receipt["case_id"], her_id, wife["identity_number"])
                                     for _ in range(5)))
    assert len({answer.content for answer in answers}) == 1
    kinds = [kind for kind, _ in await intake.events_of(receipt["case_id"])]
    assert kinds.count("authorisation.signed") == 2


@pytest.mark.parametrize("wrong", ["number", "malformed", "person", "case", "other person"])
async def test_whatever_is_wrong_the_answer_is_the_same(intake: Intake, wrong: str) -> None:
    receipt, wife = await a_couple(intake)
    case_id, person_id, number = receipt["case_id"], receipt["persons"][1]["person_id"], wife["identity_number"]
    answer = await sign(
        intake,
        new_id() if wrong == "case" else case_id,
        {"person": str(new_id()), "other person": receipt["persons"][0]["person_id"]}.get(wrong, person_id),
        str({"number": an_identity_number(), "malformed": "0" * 18}.get(wrong, number)),
    )
    assert answer.status_code == 422
    body = {**answer.json(), "correlation_id": None}
    assert body["type"] == "urn:onething:problem:person_not_confirmed"
    assert [error["field"] for error in body["errors"]] == ["identity_number"]
    assert body["detail"].startswith("Case, person and identity number do not belong together.")


async def test_in_a_joined_case_signing_looks_the_same_and_stays_unheard(intake: Intake) -> None:
    form = a_form()
    await intake.apply(form)
    joined = (await intake.apply(form)).json()
    person_id = joined["persons"][0]["person_id"]
    answer = await sign(intake, joined["case_id"], person_id, form["persons"][0]["identity_number"])
    assert answer.status_code == 201
    assert await intake.events_of(joined["case_id"]) == []


async def test_a_letter_that_names_too_few_sources_is_widened_by_another(intake: Intake) -> None:
    receipt, wife = await a_couple(intake)
    her_id = receipt["persons"][1]["person_id"]
    scopes = (["bank"], ["vehicles", "bank"], ["bank"])
    narrow, wide, again = [
        (await sign(intake, receipt["case_id"], her_id, wife["identity_number"], scope=scope)).json()
        for scope in scopes
    ]
    assert wide["number"] != narrow["number"]
    assert again == narrow, "what a letter covers already needs no other"
    signed = [data for kind, data in await intake.events_of(receipt["case_id"]) if kind == "authorisation.signed"]
    assert [event["scope"] for event in signed[1:]] == [["bank"], ["bank", "vehicles"]]
    view = (await intake.http.get(f"/cases/{receipt['case_id']}", headers=intake.officer())).json()
    hers = [member["authorisation_number"] for member in view["members"] if member["person_id"] == her_id]
    assert hers == [wide["number"]], "one line a person, with the newest letter"


async def test_a_supplement_widens_a_letter_too(intake: Intake) -> None:
    caller = intake.citizen()
    narrow = a_person(authorisation={**an_authorisation(), "scope": ["bank"]})
    form = a_form(persons=[narrow], accounts=[])
    receipt = (await intake.apply(form, caller)).json()
    wide = {**narrow, "authorisation": an_authorisation()}
    for _ in range(2):
        await intake.apply({**form, "persons": [wide], "accounts": [an_account()]}, caller)
    scopes = [data["scope"] for kind, data in await intake.events_of(receipt["case_id"])
              if kind == "authorisation.signed"]
    assert scopes == [["bank"], sorted(an_authorisation()["scope"])]


@pytest.mark.parametrize("name", ["", "  "])
async def test_an_empty_signature_signs_nothing(intake: Intake, name: str) -> None:
    receipt, wife = await a_couple(intake)
    answer = await sign(intake, receipt["case_id"], receipt["persons"][1]["person_id"], wife["identity_number"],
                        signed_name=name)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "authorisation.signed_name")
    form = a_form(persons=[a_person(authorisation=an_authorisation(name))])
    answer = await intake.apply(form)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "persons.0.authorisation.signed_name")
