"""One form becomes one case: its items, its events, its identifiers in the vault."""

from __future__ import annotations

import asyncio
import json
from datetime import date

import pytest

from contracts.envelope import new_id
from contracts.http.application import ApplicationReceipt, SubmitApplication
from services.intake.submit_application import Idempotency, Submission, submit_applications
from services.runtime.problems import Problem
from services.runtime.tokens import Caller
from tests.services.intake.forms import (
    BAISHA,
    JIANGJIN,
    YUBEI,
    a_form,
    a_person,
    a_small_emergency,
    an_account,
    an_authorisation,
    an_identity_number,
    what_happened,
)
from tests.services.intake.intake_under_test import Intake


async def test_a_complete_form_is_accepted_at_once(intake: Intake) -> None:
    applicant = a_person(
        income={"wage_fen_month": 0}, serious_illness=True, disability={"kind": "physical", "grade": 3},
        identity_number=an_identity_number(born=date(1961, 4, 2)), authorisation=an_authorisation(),
    )
    child = a_person(ref="child", relation="child", identity_number=an_identity_number(born=date(2010, 3, 9)))
    answer = await intake.apply(a_form(persons=[applicant, child], supporters=[]))
    assert answer.status_code == 201, answer.text
    receipt = answer.json()
    assert [(item["benefit"], item["status"]) for item in receipt["items"]] == [("dibao", "accepted")]
    assert [person["ref"] for person in receipt["persons"]] == ["lei", "child"]

    events = await intake.events_of(receipt["case_id"])
    assert [kind for kind, _ in events] == ["application.submitted", "item.accepted", "authorisation.signed"]
    accepted = events[1][1]
    assert accepted["needs_verification"] is True
    assert accepted["applicant_masked_name"] == "雷**"
    assert accepted["has_electricity_account"] is True
    assert [member["is_adult"] for member in accepted["members"]] == [True, False]
    facts = {fact["name"]: fact["value"] for fact in accepted["members"][0]["facts"]}
    assert facts == {"born_on": "1961-04-02", "wage_fen_month": 0, "serious_illness": True,
                     "disability_kind": "physical", "disability_grade": 3}
    assert {fact["name"]: fact["value"] for fact in accepted["household_facts"]} == {
        "standard": "rural", "support_income_fen_month": 0}


async def test_what_is_left_open_stays_unknown(intake: Intake) -> None:
    receipt = (await intake.apply(a_form())).json()
    _, accepted = (await intake.events_of(receipt["case_id"]))[1]
    assert [fact["name"] for fact in accepted["members"][0]["facts"]] == ["born_on"]
    assert [fact["name"] for fact in accepted["household_facts"]] == ["standard"]


@pytest.mark.parametrize(("registered", "owner"), [(BAISHA, BAISHA), (f"{BAISHA}201", BAISHA), (YUBEI, YUBEI)])
async def test_the_place_of_registration_decides_dibao(intake: Intake, registered: str, owner: str) -> None:
    receipt = (await intake.apply(a_form(persons=[a_person(registered_area=registered)]))).json()
    [item] = await intake.rows("select jurisdiction, epoch from intake.items where case_id = $1", receipt["case_id"])
    assert (item["jurisdiction"], item["epoch"]) == (owner, 1)
    [row] = await intake.rows(
        "select headers from intake.outbox where key = $1 and headers->>'ce_type' = 'item.accepted.v1'",
        receipt["case_id"])
    headers = json.loads(row["headers"])
    assert (headers["ce_owner"], headers["ce_jurisdiction"], headers["ce_epoch"]) == (owner, owner, "1")


async def test_without_an_account_a_supplement_is_asked_for_once(intake: Intake) -> None:
    receipt = (await intake.apply(a_form(accounts=[]))).json()
    assert receipt["items"][0]["status"] == "supplement_requested"
    assert receipt["items"][0]["missing"] == ["accounts"]
    kinds = [kind for kind, _ in await intake.events_of(receipt["case_id"])]
    assert kinds == ["application.submitted", "item.supplement_requested"]


async def test_where_nobody_decides_an_item_is_not_accepted(intake: Intake) -> None:
    receipt = (await intake.apply(a_form(benefits=["dibao", "electricity_waiver"]))).json()
    assert [item["status"] for item in receipt["items"]] == ["accepted", "not_accepted"]
    kinds = [kind for kind, _ in await intake.events_of(receipt["case_id"])]
    assert kinds == ["application.submitted", "item.accepted", "item.not_accepted"]


async def test_a_small_emergency_carries_its_sum_and_signature(intake: Intake) -> None:
    answer = await intake.apply(a_small_emergency(amount_fen=63_000), intake.officer(JIANGJIN))
    assert answer.status_code == 201, answer.text
    _, accepted = (await intake.events_of(answer.json()["case_id"]))[1]
    assert accepted["needs_verification"] is False
    assert accepted["small_sum"] == {"amount_fen": 63_000, "cause": "sudden_illness",
                                     "signed_by": f"officer:{JIANGJIN}:1"}


async def test_the_same_key_and_body_get_the_very_same_answer(intake: Intake) -> None:
    form, caller = a_form(), intake.citizen()
    first, again = [await intake.apply(form, caller, "the-very-same") for _ in range(2)]
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert len(await intake.events_of(first.json()["case_id"])) == 2


async def test_the_same_key_with_another_body_is_refused(intake: Intake) -> None:
    form, caller = a_form(), intake.citizen()
    await intake.apply(form, caller, "used-before")
    answer = await intake.apply({**form, "standard": "urban"}, caller, "used-before")
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:onething:problem:idempotency_key_reused"


async def test_a_key_counts_within_its_caller_only(intake: Intake) -> None:
    first, other = [await intake.apply(a_form(), intake.citizen(), "a-common-key") for _ in range(2)]
    assert first.json()["case_id"] != other.json()["case_id"]


async def test_the_same_application_many_times_at_once_is_one_case(intake: Intake) -> None:
    form, caller = a_form(), intake.citizen()
    answers = await asyncio.gather(*(intake.apply(form, caller, "all-at-once") for _ in range(8)))
    assert len({answer.content for answer in answers}) == 1
    case_id = answers[0].json()["case_id"]
    assert [kind for kind, _ in await intake.events_of(case_id)] == ["application.submitted", "item.accepted"]


def a_submission(form: dict[str, object], key: str | None = None) -> Submission:
    command = SubmitApplication.model_validate_json(json.dumps(form))
    return Submission(Caller(f"officer:{BAISHA}:1", "officer", BAISHA), command,
                      Idempotency(key or str(new_id()), json.dumps(form).encode()))


async def test_in_a_batch_one_refusal_leaves_the_others_alone(intake: Intake) -> None:
    good, bad, twice = a_small_emergency(), a_small_emergency(promise_of_truth=False), a_small_emergency()
    async with intake.database.transaction() as tx:
        outcomes = await submit_applications(tx, [
            a_submission(good), a_submission(bad), a_submission(twice, "in-one-batch"),
            a_submission(twice, "in-one-batch"), a_submission(a_small_emergency(), "in-one-batch"),
        ])
    first, refused, second, same, reused = outcomes
    assert isinstance(first, ApplicationReceipt) and first.items[0].status == "accepted"
    assert isinstance(refused, Problem) and refused.code == "not_valid"
    assert isinstance(second, ApplicationReceipt) and second == same
    assert isinstance(reused, Problem) and reused.code == "idempotency_key_reused"


async def test_in_a_batch_the_same_person_is_one_item(intake: Intake) -> None:
    person = a_person()
    forms = [a_form(persons=[person], accounts=[an_account()]) for _ in range(2)]
    async with intake.database.transaction() as tx:
        first, again = await submit_applications(tx, [a_submission(form) for form in forms])
    assert isinstance(first, ApplicationReceipt) and isinstance(again, ApplicationReceipt)
    assert again.case_id == first.case_id and again.items == first.items


async def test_in_a_batch_the_same_person_gets_one_small_sum(intake: Intake) -> None:
    person = a_person()
    forms = [a_small_emergency(persons=[person], accounts=[an_account()]) for _ in range(2)]
    async with intake.database.transaction() as tx:
        first, again = await submit_applications(tx, [a_submission(form) for form in forms])
    assert isinstance(first, ApplicationReceipt)
    assert isinstance(again, Problem) and again.code == "item_open"


async def test_an_emergency_is_decided_where_it_happened(intake: Intake) -> None:
    form = a_form(benefits=["temporary_assistance"], what_happened=what_happened(happened_in=YUBEI))
    receipt = (await intake.apply(form)).json()
    [item] = await intake.rows("select jurisdiction from intake.items where case_id = $1", receipt["case_id"])
    assert item["jurisdiction"] == YUBEI
