"""A household takes an application for one benefit back: who may, once, and what of it others hear."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from contracts.envelope import new_id
from tests.services.intake.forms import BAISHA, JIANGJIN, YUBEI, a_form, a_person, an_account, an_authorisation
from tests.services.intake.intake_under_test import Intake
from tests.services.intake.test_same_person import REFUSED, shape


async def withdraw(intake: Intake, item_id: str, caller: dict[str, str]) -> httpx.Response:
    return await intake.http.post(f"/items/{item_id}/withdraw", headers=caller)


async def test_a_withdrawn_item_is_told_once_and_the_person_may_ask_again(intake: Intake) -> None:
    form, caller = a_form(), intake.citizen()
    first = (await intake.apply(form, caller)).json()
    item_id = first["items"][0]["item_id"]
    answers = [await withdraw(intake, item_id, caller) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200], answers[0].text
    assert answers[0].json() == answers[1].json()
    told = [event for event in await intake.events_of(first["case_id"]) if event[0] == "item.withdrawn"]
    assert told == [("item.withdrawn", {"benefit": "dibao", "accepted": True})]
    view = (await intake.http.get(f"/cases/{first['case_id']}", headers=caller)).json()
    assert view["items"][0]["status"] == "withdrawn"
    again = (await intake.apply(form, caller)).json()
    assert again["case_id"] != first["case_id"]


@pytest.mark.parametrize(("jurisdiction", "status"), [(BAISHA, 200), (JIANGJIN, 200), (YUBEI, 404)])
async def test_officers_of_the_deciding_place_may_withdraw_for_the_household(
    intake: Intake, jurisdiction: str, status: int
) -> None:
    receipt = (await intake.apply(a_form())).json()
    answer = await withdraw(intake, receipt["items"][0]["item_id"], intake.officer(jurisdiction))
    assert answer.status_code == status


async def test_to_a_stranger_the_item_does_not_exist(intake: Intake) -> None:
    receipt = (await intake.apply(a_form())).json()
    known, unknown = [await withdraw(intake, item_id, intake.citizen())
                      for item_id in (receipt["items"][0]["item_id"], str(new_id()))]
    assert (known.status_code, known.json()["code"]) == (unknown.status_code, unknown.json()["code"]) == (
        404, "item_unknown")
    assert "item.withdrawn" not in [kind for kind, _ in await intake.events_of(receipt["case_id"])]


async def test_who_only_joined_withdraws_nothing_of_the_first_and_sees_no_difference(intake: Intake) -> None:
    form, caller, stranger = a_form(), intake.citizen(), intake.citizen()
    first = (await intake.apply(form, caller)).json()
    joined = (await intake.apply(form, stranger)).json()
    own = (await intake.apply(a_form(), stranger)).json()
    answers = [await withdraw(intake, receipt["items"][0]["item_id"], stranger) for receipt in (joined, own)]
    assert shape(answers[0].json()) == shape(answers[1].json())
    views = [(await intake.http.get(f"/cases/{receipt['case_id']}", headers=stranger)).json()
             for receipt in (joined, own)]
    assert [view["items"][0]["status"] for view in views] == ["withdrawn", "withdrawn"]
    untouched = (await intake.http.get(f"/cases/{first['case_id']}", headers=caller)).json()
    assert untouched["items"][0]["status"] == "accepted"
    assert await intake.events_of(joined["case_id"]) == []
    assert "item.withdrawn" not in [kind for kind, _ in await intake.events_of(first["case_id"])]


async def test_what_is_decided_is_not_withdrawn(intake: Intake) -> None:
    caller = intake.citizen()
    receipt = (await intake.apply(a_form(), caller)).json()
    item_id = receipt["items"][0]["item_id"]
    await intake.close(receipt["case_id"], item_id, REFUSED)
    answer = await withdraw(intake, item_id, caller)
    assert (answer.status_code, answer.json()["code"]) == (409, "item_ended")


async def test_an_item_that_waits_for_a_supplement_is_told_as_never_accepted(intake: Intake) -> None:
    caller = intake.citizen()
    receipt = (await intake.apply(a_form(accounts=[]), caller)).json()
    await withdraw(intake, receipt["items"][0]["item_id"], caller)
    assert (await intake.events_of(receipt["case_id"]))[-1] == (
        "item.withdrawn", {"benefit": "dibao", "accepted": False})


async def test_a_supplement_in_the_same_moment_never_completes_a_withdrawn_item(intake: Intake) -> None:
    for _ in range(5):
        form, caller = a_form(accounts=[]), intake.citizen()
        first = (await intake.apply(form, caller)).json()
        item_id = first["items"][0]["item_id"]
        await asyncio.gather(withdraw(intake, item_id, caller),
                             intake.apply({**form, "accounts": [an_account()]}, caller))
        kinds = [kind for kind, _ in await intake.events_of(first["case_id"])]
        assert kinds.index("item.withdrawn") == len(kinds) - 1, "nothing is accepted after it was withdrawn"


async def test_the_oldest_complete_application_takes_over_and_nobody_notices(intake: Intake) -> None:
    form = a_form(persons=[a_person(authorisation=an_authorisation())])
    first_by, *others_by = callers = [intake.citizen() for _ in range(4)]
    receipts = [(await intake.apply({**form, "accounts": [] if who is callers[1] else [an_account()]}, who)).json()
                for who in callers]
    first, incomplete, heir, last = receipts
    before = [(await intake.http.get(f"/cases/{receipt['case_id']}", headers=who)).json()
              for receipt, who in zip(receipts[1:], others_by, strict=True)]
    assert (await withdraw(intake, first["items"][0]["item_id"], first_by)).status_code == 200

    after = [(await intake.http.get(f"/cases/{receipt['case_id']}", headers=who)).json()
             for receipt, who in zip(receipts[1:], others_by, strict=True)]
    assert after == before, "a stranger's withdrawal is not to be seen"
    (submitted, accepted, signed) = await intake.events_of(heir["case_id"])
    assert (submitted[0], submitted[1]["benefits"]) == ("application.submitted", ["dibao"])
    assert (accepted[0], accepted[1]["small_sum"]) == ("item.accepted", None)
    assert accepted[1]["members"][0]["facts"] and signed[0] == "authorisation.signed"
    assert await intake.events_of(incomplete["case_id"]) == await intake.events_of(last["case_id"]) == []

    again = (await intake.apply(form, others_by[1])).json()
    assert (again["case_id"], again["items"]) == (heir["case_id"], heir["items"])
    await intake.close(heir["case_id"], heir["items"][0]["item_id"], REFUSED)
    seen = [(await intake.http.get(f"/cases/{receipt['case_id']}", headers=who)).json()["items"][0]["status"]
            for receipt, who in zip(receipts, callers, strict=True)]
    assert seen == ["withdrawn", "supplement_requested", "decided", "decided"]


async def test_who_withdrew_or_was_decided_takes_nothing_over(intake: Intake) -> None:
    form, callers = a_form(), [intake.citizen() for _ in range(3)]
    first, second, third = [(await intake.apply(form, who)).json() for who in callers]
    for receipt, who in ((second, callers[1]), (first, callers[0])):
        assert (await withdraw(intake, receipt["items"][0]["item_id"], who)).status_code == 200
    assert await intake.events_of(second["case_id"]) == []
    assert [kind for kind, _ in await intake.events_of(third["case_id"])] == ["application.submitted", "item.accepted"]
    answers = [await withdraw(intake, third["items"][0]["item_id"], callers[2]) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert (await intake.events_of(third["case_id"]))[-1][0] == "item.withdrawn"
    fresh = (await intake.apply(form, callers[1])).json()
    assert fresh["case_id"] not in {first["case_id"], second["case_id"], third["case_id"]}
