"""What is sent through either side: the requests of the load generator, the answers of the city, the forms."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

import orjson
import pytest

from benchmarks.harness.forms import FORMS, HAPPENED_ON, TOWN, body_of, identity_number
from benchmarks.harness.http_load import requests, send
from benchmarks.harness.instant_city import answers, results
from contracts.benefits import Source
from contracts.facts import FactName
from contracts.http.application import SubmitApplication
from contracts.http.bank import BatchResult
from contracts.http.source import SourceAnswers
from deploy.sandbox.officers.findings import findings
from services import rulebook
from services.intake import declared_facts
from services.intake.identity_number import parse as identity_number_of
from services.intake.rules import check_form
from services.verification import rules as verification
from services.verification.source_data import check_answer, facts_of

ASKED = {"request_id": "018f2c9e-7a51-7c3e-9d0b-5f2a6b1c8e44", "legal_time": "2026-03-04T07:30:00Z",
         "queries": [{"query_id": f"018f2c9e-7a51-7c3e-9d0b-5f2a6b1c8e4{number}"} for number in range(3)]}


@pytest.mark.parametrize("kind", FORMS)
def test_every_form_is_one_that_intake_takes(kind: str) -> None:
    form = SubmitApplication.model_validate_json(body_of(FORMS[kind](7)))
    assert not check_form(form, role="officer", office=TOWN, today=HAPPENED_ON).faults


@pytest.mark.parametrize("kind", FORMS)
def test_no_two_forms_name_the_same_person(kind: str) -> None:
    numbers = [person.identity_number.get_secret_value() for form in range(50) for person in FORMS[kind](form).persons]
    assert len(set(numbers)) == len(numbers)


def test_identity_numbers_stay_apart_beyond_a_birthday() -> None:
    assert len({identity_number(number) for number in range(995, 1_005)}) == 10


@pytest.mark.parametrize("source", Source)
def test_the_city_answers_every_question_validly(source: Source) -> None:
    given = SourceAnswers.model_validate_json(orjson.dumps(answers(source, ASKED))).answers
    assert [str(answer.query_id) for answer in given] == [query["query_id"] for query in ASKED["queries"]]
    assert not [wrong for answer in given for wrong in check_answer(source, answer, answer.as_of)]


def test_the_bank_of_the_city_accepts_every_order() -> None:
    batch = {"orders": [{"payment_id": ASKED["request_id"]}]}
    assert len(BatchResult.model_validate_json(orjson.dumps(results(batch))).results) == 1


def test_what_city_and_officers_tell_lets_the_rulebook_grant() -> None:
    form, person_id = FORMS["dibao_alone"](7), uuid4()
    [person] = form.persons
    identity = identity_number_of(person.identity_number.get_secret_value(), today=HAPPENED_ON)
    assert identity is not None
    declared = [*declared_facts.of_household(form, HAPPENED_ON, elderly_from_age_years=None),
                *declared_facts.of_person(person, person_id, identity, HAPPENED_ON)]
    told = [fact for source in Source
            for given in SourceAnswers.model_validate_json(orjson.dumps(answers(source, ASKED))).answers
            for fact in facts_of(source, person_id, given, HAPPENED_ON)]
    found = [verification.found(finding, [person_id])
             for finding in findings([FactName.ASSETS_WITHIN_LOCAL_LIMIT], {}, (), HAPPENED_ON)]
    facts = verification.standing_facts([*declared, *told, *found])
    [assessment] = rulebook.assess([rulebook.AssessmentRequest.model_validate({
        "key": "1", "benefit": "dibao", "place": TOWN, "on": HAPPENED_ON,
        "members": [{"person_id": person_id, "relation": "applicant", "is_adult": True,
                     "facts": [fact for fact in facts if fact.person_id is not None]}],
        "facts": [fact for fact in facts if fact.person_id is None],
    })])
    assert (assessment.outcome, assessment.missing) == ("grant", [])


async def test_a_load_sends_each_body_once_and_counts_refusals(tmp_path: Path) -> None:
    bodies = tmp_path / "bodies.jsonl"
    bodies.write_bytes(b"\n".join(orjson.dumps({"number": number}) for number in range(20)))
    seen: list[tuple[bytes, int]] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n") if not reader.at_eof() else b"":
            headers = dict(line.split(": ", 1) for line in head.decode().splitlines()[1:] if line)
            number = orjson.loads(await reader.readexactly(int(headers["Content-Length"])))["number"]
            seen.append((headers["Idempotency-Key"].encode(), number))
            status = "503 Busy" if number == 3 else "201 Created"
            writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\n{{}}".encode())

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        except asyncio.IncompleteReadError:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1")
    async with server:
        port = server.sockets[0].getsockname()[1]
        sent = await send(port, 4, requests("/applications", bodies, "Authorization: none"))
    assert sorted(number for _, number in seen) == list(range(20))
    assert len({key for key, _ in seen}) == 20
    assert (len(sent.latencies_ms), sent.refused) == (20, 1)
