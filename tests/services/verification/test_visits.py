"""Visits are reported once, by two, within their place; evidence is sent when all of it is there, and revised."""

from __future__ import annotations

import json
from datetime import date, timedelta

import asyncpg
import pytest

from contracts.envelope import new_id
from contracts.events.means_check import AnswerKind
from contracts.facts import FactName
from contracts.http.casework import RecordFindings
from deploy.sandbox.sources.facts import Behaviour, Told
from services.verification.evidence_file import FACTS
from services.verification.rules import digest
from tests.services.verification.builders import (
    BAISHA,
    JIANGJIN,
    MONDAY,
    YUBEI,
    a_finding,
    a_report,
    an_item,
    signed,
    withdrawn,
)
from tests.services.verification.service_under_test import Verification, number_of

pytestmark = pytest.mark.asyncio(loop_scope="session")

TUESDAY = MONDAY + timedelta(days=1)


async def test_evidence_is_sent_when_check_and_visit_are_both_there(verification: Verification):
    item = an_item()
    await verification.receive(item, signed(item))
    await verification.ask()
    assert "verification.completed" not in await verification.event_types(item)
    assert (await verification.report(item, a_report(a_finding()))).status_code == 201
    [completed] = await verification.events(item, "verification.completed%")
    assert (completed["revision"], completed["visited_on"]) == (1, "2025-01-06")
    assert completed["item_id"] == str(item.item_id)
    [reported] = await verification.events(item, "visit.reported%")
    assert completed["visit_report_sha256"] == reported["report_sha256"]


async def test_a_visit_before_the_check_is_over_waits_for_it(verification: Verification):
    item = an_item()
    await verification.receive(item)
    await verification.report(item, a_report(a_finding()))
    assert (await verification.event_types(item))[-1] == "visit.reported"
    await verification.receive(signed(item))
    await verification.ask()
    assert (await verification.event_types(item))[-2:] == ["means_check.completed", "verification.completed"]


async def test_facts_carry_their_origin_and_what_nobody_told_stays_unknown(verification: Verification):
    item = an_item()
    person_id = item.data.applicant_person_id
    verification.tell(
        person_id,
        social_security=Told(kind=AnswerKind.DATA, data={"pension_fen_month": 12_000}),
        bank=Told(kind=AnswerKind.REFUSED),
        vehicles=Told(behaviour=Behaviour.UNREACHABLE),
        disability=Told(kind=AnswerKind.DATA, data={"kind": "physical", "grade": 2}),
    )
    await verification.receive(item, signed(item))
    await verification.ask()
    await verification.wait_out()
    await verification.report(item, a_report(a_finding(), a_finding(FactName.SERIOUS_ILLNESS, person_id=person_id)))
    assert await verification.facts(item) == {
        "born_on": "1961-04-02",
        "pension_fen_month": 12_000,
        "medical_paid_self_fen_12_months": 0,
        "homes_count": 0,
        "disability_kind": "physical",
        "disability_grade": 2,
        "alive": True,
        "serious_illness": True,
        "assets_within_local_limit": True,
    }
    [completed] = await verification.events(item, "verification.completed%")
    told = {fact["name"]: (fact["origin"], fact["source"]) for fact in completed["facts"]}
    assert told["born_on"] == ("declared", None)
    assert told["disability_grade"] == ("shared", "disability")
    assert told["assets_within_local_limit"] == ("visit", "入户调查表")


async def test_a_finding_given_later_revises_the_evidence_and_replaces_the_earlier_one(verification: Verification):
    item = an_item()
    await verification.receive(item, signed(item))
    await verification.ask()
    await verification.report(item, a_report(a_finding(value=False)))
    body = RecordFindings(findings=[a_finding(value=True, document="银行存单")])
    assert (await verification.post(f"/items/{item.item_id}/findings", body)).status_code == 201
    revisions = [event["revision"] for event in await verification.events(item, "verification.completed%")]
    assert revisions == [1, 2]
    assert (await verification.facts(item))["assets_within_local_limit"] is True


async def test_a_late_answer_after_the_evidence_was_sent_revises_it(verification: Verification):
    item = an_item()
    verification.tell(item.data.applicant_person_id, bank=Told(kind=AnswerKind.NO_ANSWER))
    await verification.receive(item, signed(item))
    await verification.ask()
    await verification.report(item, a_report(a_finding()))
    assert "bank_balance_fen" not in await verification.facts(item)
    verification.tell(item.data.applicant_person_id, bank=Told())
    check_id = (await verification.case(item))["means_check"]["means_check_id"]
    await verification.post(f"/means-checks/{check_id}/ask-again")
    await verification.ask()
    assert (await verification.facts(item))["bank_balance_fen"] == 0


async def test_a_visit_is_reported_once(verification: Verification):
    item = an_item()
    await verification.receive(item)
    assert (await verification.report(item, a_report(a_finding()))).status_code == 201
    again = await verification.report(item, a_report(a_finding(value=False)))
    assert (again.status_code, again.json()["code"]) == (409, "visit_reported")
    assert (await verification.event_types(item)).count("visit.reported") == 1


async def test_a_withdrawn_household_is_not_reported_on(verification: Verification):
    item = an_item()
    await verification.receive(item)
    await verification.receive(withdrawn(item))
    assert (await verification.report(item, a_report())).json()["code"] == "visit_cancelled"
    body = RecordFindings(findings=[a_finding()])
    response = await verification.post(f"/items/{item.item_id}/findings", body)
    assert (response.status_code, response.json()["code"]) == (409, "item_withdrawn")


@pytest.mark.parametrize(
    ("report", "field"),
    [
        (a_report(on=MONDAY - timedelta(days=1)), "visited_on"),
        (a_report(on=TUESDAY), "visited_on"),
        (a_report(investigators=(1, 1)), "investigators"),
        (a_report(investigators=(2, 3)), "investigators"),
        (a_report().model_copy(update={"note": "户主 50011619610402001X 在家"}), "note"),
        (a_report(a_finding().model_copy(update={"document": "身份证 500116196104020015"})), "findings.0.document"),
        (a_report(a_finding(as_of=TUESDAY)), "findings.0.fact.as_of"),
        (a_report(a_finding(value=1)), "findings.0.fact.value"),
        (a_report(a_finding(FactName.WAGE, True)), "findings.0.fact.value"),
        (a_report(a_finding(FactName.WAGE, 100, person_id=new_id())), "findings.0.fact.person_id"),
        (a_report(a_finding(person_id=new_id())), "findings.0.fact.person_id"),
    ],
)
async def test_a_report_that_cannot_be_right_is_refused_and_its_field_named(verification: Verification, report, field):
    item = an_item()
    await verification.receive(item)
    response = await verification.report(item, report)
    assert response.status_code == 422
    assert field in [error["field"] for error in response.json()["errors"]]
    assert "visit.reported" not in await verification.event_types(item)
    assert not await verification.execute(
        "select 1 from verification.evidence where case_id = $1 and kind <> 'declaration'", item.case_id)


async def test_a_finding_about_a_person_says_whom_unless_they_live_alone(verification: Verification):
    alone, couple = an_item(), an_item(adults=2)
    ill = a_report(a_finding(FactName.SERIOUS_ILLNESS))
    await verification.receive(alone, couple)
    assert (await verification.report(alone, ill)).status_code == 201
    response = await verification.report(couple, ill)
    assert [error["field"] for error in response.json()["errors"]] == ["findings.0.fact.person_id"]
    [visit] = (await verification.case(couple))["visits"]
    assert visit["person_ids"] == sorted(str(member.person_id) for member in couple.data.members)


@pytest.mark.parametrize(
    ("declared", "wanted"),
    [
        (None, ["serious_illness", "assets_within_local_limit"]),
        (True, ["serious_illness", "assets_within_local_limit"]),
        (False, ["assets_within_local_limit"]),
    ],
)
async def test_officers_are_not_asked_to_find_what_nobody_claims(verification: Verification, declared, wanted):
    item = an_item(seriously_ill=declared)
    await verification.receive(item)
    [ordered] = await verification.events(item, "visit.ordered%")
    assert sorted(ordered["findings_wanted"]) == sorted(wanted)


@pytest.mark.parametrize(
    ("place", "status"), [(BAISHA, 201), (JIANGJIN, 201), ("500116106", 404), (YUBEI, 404)]
)
async def test_only_officers_whose_place_covers_the_visit_report_it(verification: Verification, place, status):
    item = an_item()
    await verification.receive(item)
    path = f"/visits/{await verification.visit_id(item)}/report"
    response = await verification.post(path, a_report(place=place), verification.officer(place))
    assert response.status_code == status, response.text


@pytest.mark.parametrize("path", ["/cases/{case}", "/visits?jurisdiction=500116"])
async def test_what_is_shown_ends_at_the_callers_jurisdiction(verification: Verification, path):
    item = an_item()
    await verification.receive(item)
    path = path.format(case=item.case_id)
    within = await verification.http.get(path, headers=verification.officer(JIANGJIN))
    outside = await verification.http.get(path, headers=verification.officer(YUBEI))
    assert str(item.case_id) in within.text
    assert str(item.case_id) not in outside.text.replace(f"Case {item.case_id}", "")
    assert (await verification.http.get(path)).status_code == 401


async def test_evidence_is_signed_digested_and_cannot_be_changed(verification: Verification):
    item = an_item()
    await verification.receive(item)
    await verification.report(item, a_report(a_finding()))
    [row] = await verification.execute(
        "select * from verification.evidence where case_id = $1 and kind = 'visit_report'", item.case_id)
    said = {"content": json.loads(row["content"]), "facts": json.loads(row["facts"]), "signer": row["signer"],
            "recorded_at": row["recorded_at"].isoformat()}
    assert row["signer"] == f"officer:{BAISHA}:1"
    assert row["sha256"] == digest(said)
    assert FACTS.validate_json(row["facts"])[0].as_of == date(2025, 1, 6)
    for statement in ("update verification.evidence set signer = 'x'", "delete from verification.evidence"):
        with pytest.raises(asyncpg.PostgresError):
            await verification.execute(statement)


async def test_no_identity_number_is_in_any_table_or_event(verification: Verification):
    item = an_item()
    await verification.receive(item, signed(item))
    await verification.ask()
    await verification.report(item, a_report(a_finding()))
    number = number_of(item.data.applicant_person_id)
    for table in ("outbox", "queries", "evidence", "visits", "means_checks", "authorisations", "members"):
        rows = await verification.execute(f"select * from verification.{table}")
        assert number not in str(rows)
