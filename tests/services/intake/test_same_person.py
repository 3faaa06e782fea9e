"""The same person with an open item of the same benefit is one item; a stranger learns nothing of it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.benefits import Benefit
from contracts.envelope import new_id
from contracts.events.decision import DecisionConfirmed, Outcome
from tests.services.intake.forms import (
    BAISHA,
    JIANGJIN,
    YUBEI,
    a_form,
    a_person,
    a_small_emergency,
    an_account,
    an_authorisation,
    what_happened,
)
from tests.services.intake.intake_under_test import Intake

REFUSED = DecisionConfirmed(
    decision_id=new_id(), benefit=Benefit.DIBAO, outcome=Outcome.REFUSE, confirmed_by=f"officer:{BAISHA}:1",
    confirmed_at=datetime(2026, 3, 20, tzinfo=UTC), reasons=[],
)


def shape(value: Any) -> Any:
    """A JSON value without its ids: what a stranger could compare."""
    if isinstance(value, dict):
        return {key: "…" if key.endswith("_id") else shape(content) for key, content in value.items()}
    return [shape(item) for item in value] if isinstance(value, list) else value


async def test_the_one_who_asked_first_gets_the_first_case_again(intake: Intake) -> None:
    form, caller = a_form(), intake.citizen()
    first = (await intake.apply(form, caller)).json()
    again = (await intake.apply({**form, "accounts": [an_account()]}, caller)).json()
    assert (again["case_id"], again["items"]) == (first["case_id"], first["items"])
    assert again["application_id"] != first["application_id"]
    assert len(await intake.events_of(first["case_id"])) == 2


@pytest.mark.parametrize(("jurisdiction", "same_case"), [(BAISHA, True), (JIANGJIN, True), (YUBEI, False)])
async def test_an_officer_of_the_deciding_place_gets_the_first_case(
    intake: Intake, jurisdiction: str, same_case: bool
) -> None:
    form = a_form()
    first = (await intake.apply(form)).json()
    keyed_in = {**form, "channel": "officer", "submitted_in": jurisdiction}
    again = (await intake.apply(keyed_in, intake.officer(jurisdiction))).json()
    assert (again["case_id"] == first["case_id"]) is same_case


async def test_a_stranger_sees_no_difference_and_nothing_is_published(intake: Intake) -> None:
    form = a_form(persons=[a_person(authorisation=an_authorisation())])
    first = await intake.apply(form)
    stranger = intake.citizen()
    joined = await intake.apply({**form, "accounts": [an_account()]}, stranger)
    assert (joined.status_code, shape(joined.json())) == (first.status_code, shape(first.json()))
    ids = [first.json()["case_id"], first.json()["items"][0]["item_id"], first.json()["application_id"]]
    assert all(known not in joined.text for known in ids)

    case_id = joined.json()["case_id"]
    assert await intake.events_of(case_id) == []
    assert await intake.rows("select 1 from intake.items where case_id = $1", case_id) == []
    view = await intake.http.get(f"/cases/{case_id}", headers=stranger)
    new = (await intake.apply(a_form(), stranger)).json()
    own = await intake.http.get(f"/cases/{new['case_id']}", headers=stranger)
    assert shape(view.json()) == shape(own.json())


async def test_the_deciding_place_sees_that_another_asked_too(intake: Intake) -> None:
    form = a_form()
    first = (await intake.apply(form)).json()
    joined = (await intake.apply(form)).json()
    view = (await intake.http.get(f"/cases/{first['case_id']}", headers=intake.officer())).json()
    assert [note["case_id"] for note in view["joined_later"]] == [joined["case_id"]]
    other = (await intake.http.get(f"/cases/{joined['case_id']}", headers=intake.officer())).json()
    assert other["items"][0]["joins_item_id"] == first["items"][0]["item_id"]


async def test_a_strangers_account_never_replaces_the_first_one(intake: Intake) -> None:
    form = a_form()
    first = (await intake.apply(form)).json()
    await intake.apply({**form, "accounts": [an_account()]})
    entries = await intake.rows("select 1 from intake.vault_entries where case_id = $1 and field = 'bank_account'",
                                first["case_id"])
    assert len(entries) == 1


async def test_a_strangers_news_of_an_emergency_still_counts(intake: Intake) -> None:
    form = a_form()
    first = (await intake.apply(form)).json()
    both = {**form, "benefits": ["dibao", "temporary_assistance"], "what_happened": what_happened()}
    receipt = (await intake.apply(both)).json()
    assert receipt["case_id"] != first["case_id"]
    submitted, accepted = await intake.events_of(receipt["case_id"])
    assert submitted[1]["benefits"] == ["temporary_assistance"]
    assert accepted[1]["benefit"] == "temporary_assistance"


async def test_a_small_sum_beside_an_open_item_is_refused_and_the_item_named(intake: Intake) -> None:
    person = a_person()
    asked = a_form(persons=[person], benefits=["temporary_assistance"], what_happened=what_happened())
    first = (await intake.apply(asked)).json()
    before = await intake.count("applications")
    emergency = a_small_emergency(persons=[person])
    answer = await intake.apply(emergency, intake.officer(BAISHA))
    assert (answer.status_code, answer.json()["code"]) == (409, "item_open")
    assert first["items"][0]["item_id"] in answer.json()["detail"]
    assert await intake.count("applications") == before
    await intake.close(first["case_id"], first["items"][0]["item_id"], REFUSED)
    again = await intake.apply(emergency, intake.officer(BAISHA))
    assert (again.status_code, again.json()["items"][0]["status"]) == (201, "accepted")


async def test_another_office_sees_no_difference_and_is_promised_no_small_sum(intake: Intake) -> None:
    person = a_person()
    first = (await intake.apply(a_form(persons=[person], benefits=["temporary_assistance"],
                                       what_happened=what_happened()))).json()
    answers = [await intake.apply(a_small_emergency(persons=[who], submitted_in=YUBEI), intake.officer(YUBEI))
               for who in (person, a_person())]
    assert [answer.status_code for answer in answers] == [201, 201]
    beside, new = (answer.json() for answer in answers)
    assert shape(beside) == shape(new)
    assert new["items"][0]["status"] == "received"
    assert first["items"][0]["item_id"] not in answers[0].text
    sums = [[data["small_sum"] for kind, data in await intake.events_of(receipt["case_id"]) if kind == "item.accepted"]
            for receipt in (first, beside, new)]
    assert sums == [[None], [], [{"amount_fen": 60_000, "cause": "sudden_illness",
                                  "signed_by": f"officer:{YUBEI}:1"}]]


async def test_another_benefit_joins_the_case_that_is_open(intake: Intake) -> None:
    form, caller = a_form(), intake.citizen()
    first = (await intake.apply(form, caller)).json()
    more = {**form, "benefits": ["dibao", "temporary_assistance"], "what_happened": what_happened()}
    receipt = (await intake.apply(more, caller)).json()
    assert receipt["case_id"] == first["case_id"]
    assert receipt["items"][0] == first["items"][0]
    kinds = [kind for kind, _ in await intake.events_of(first["case_id"])]
    assert kinds == ["application.submitted", "item.accepted"] * 2


async def test_a_supplement_completes_the_item_that_waited(intake: Intake) -> None:
    form, caller = a_form(accounts=[]), intake.citizen()
    first = (await intake.apply(form, caller)).json()
    second = (await intake.apply({**form, "accounts": [an_account()]}, caller)).json()
    assert second["items"][0] == {**first["items"][0], "status": "accepted", "missing": []}
    kinds = [kind for kind, _ in await intake.events_of(first["case_id"])]
    assert kinds[-1] == "item.accepted"


async def test_what_a_stranger_left_incomplete_holds_back_no_complete_form(intake: Intake) -> None:
    form, stranger, caller = a_form(), intake.citizen(), intake.citizen()
    first = (await intake.apply({**form, "accounts": []}, stranger)).json()
    whole = (await intake.apply(form, caller)).json()
    assert whole["items"][0]["status"] == "accepted"
    assert [kind for kind, _ in await intake.events_of(whole["case_id"])] == ["application.submitted", "item.accepted"]

    view = (await intake.http.get(f"/cases/{first['case_id']}", headers=stranger)).json()
    assert view["items"][0]["status"] == "supplement_requested", "the stranger learns nothing of it"
    completed = (await intake.apply(form, stranger)).json()
    assert completed["items"][0]["status"] == "accepted"
    assert await intake.events_of(completed["case_id"]) == [], "one item all the same"
    item_id = first["items"][0]["item_id"]
    assert (await intake.http.post(f"/items/{item_id}/withdraw", headers=stranger)).status_code == 200


async def test_an_item_is_completed_in_its_own_case_only(intake: Intake) -> None:
    form, caller = a_form(accounts=[], what_happened=what_happened()), intake.citizen()
    dibao, emergency = [(await intake.apply({**form, "benefits": [benefit]}, caller)).json()
                        for benefit in ("dibao", "temporary_assistance")]
    both = {**form, "benefits": ["dibao", "temporary_assistance"], "accounts": [an_account()]}
    answers = [(await intake.apply(both, caller)).json() for _ in range(2)]
    assert [[item["status"] for item in answer["items"]] for answer in answers] == [
        ["accepted", "supplement_requested"], ["accepted", "accepted"]]
    for receipt, benefit in ((dibao, "dibao"), (emergency, "temporary_assistance")):
        accepted = [data["benefit"] for kind, data in await intake.events_of(receipt["case_id"])
                    if kind == "item.accepted"]
        assert accepted == [benefit], "a case's events are told under its own id, or their order is lost"


async def test_strangers_at_the_same_moment_make_one_item(intake: Intake) -> None:
    form = a_form()
    answers = await asyncio.gather(*(intake.apply(form) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {201}
    cases = [answer.json()["case_id"] for answer in answers]
    assert len(set(cases)) == 8
    assert len(await intake.rows("select 1 from intake.items where case_id = any($1)", cases)) == 1
    assert sorted([len(await intake.events_of(case_id)) for case_id in cases]) == [0] * 7 + [2]


async def test_after_the_decision_the_person_may_ask_again(intake: Intake) -> None:
    form, caller = a_form(), intake.citizen()
    first = (await intake.apply(form, caller)).json()
    stranger = intake.citizen()
    joined = (await intake.apply(form, stranger)).json()
    await intake.close(first["case_id"], first["items"][0]["item_id"], REFUSED)
    for case_id, who in ((first["case_id"], caller), (joined["case_id"], stranger)):
        view = (await intake.http.get(f"/cases/{case_id}", headers=who)).json()
        assert view["items"][0]["status"] == "decided"
    again = (await intake.apply(form, caller)).json()
    assert again["case_id"] != first["case_id"]
    assert len(await intake.events_of(again["case_id"])) == 2
