"""The HTTP edge: every refusal is a problem that names the field and repeats nothing that was sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, Any, cast
from uuid import UUID, uuid4

import httpx
import pytest
import structlog
from fastapi import APIRouter, Depends, Header
from joserfc.jwk import OKPKey
from pydantic import Field, field_validator

from contracts.http.message import Command
from services.runtime.edge import BODY_MAX_BYTES, Requests
from services.runtime.http import Caller, Problem, Unavailable, create_app, get_runtime, require
from services.runtime.tokens import TokenSigner, TokenVerifier

if TYPE_CHECKING:
    from services.runtime.context import Runtime

IDENTITY_NUMBER = "500116199001011234"
IDP = OKPKey.generate_key("Ed25519", {"kid": "idp"})
PROBLEM = "application/problem+json"


class Person(Command):
    identity_number: Annotated[str, Field(max_length=18)]
    born_on: date | None = None
    income_fen: Annotated[int, Field(ge=0)] = 0

    @field_validator("identity_number")
    @classmethod
    def check(cls, value: str) -> str:
        if not value.endswith("X"):
            raise ValueError(f"{value} has a wrong check character")
        return value


class Household(Command):
    people: Annotated[list[Person], Field(min_length=1)]
    notes: dict[str, int] | None = None


routes = APIRouter()


@routes.post("/households")
async def add(household: Household) -> dict[str, int]:
    return {"people": len(household.people)}


@routes.get("/items/{item_id}")
async def show(item_id: UUID, caller: Annotated[Caller, Depends(require("officer"))]) -> dict[str, str]:
    return {"item_id": str(item_id), "caller": caller.subject}


@routes.get("/open")
async def count_open(runtime: Annotated[Any, Depends(get_runtime)]) -> dict[str, Any]:
    correlation_id = structlog.contextvars.get_contextvars()["correlation_id"]
    return {"open": runtime.requests.open_count, "correlation_id": correlation_id}


@routes.post("/keyed")
async def keyed(idempotency_key: Annotated[str, Header(min_length=8)]) -> None:
    """Takes a header."""


@routes.post("/refuse")
async def refuse() -> None:
    raise Problem(409, "notice_open", "Item 1: public notice open until 2026-03-09. Confirm after that day.")


@routes.post("/break")
async def fail() -> None:
    raise RuntimeError(f"duplicate key ({IDENTITY_NUMBER})")


@routes.post("/later")
async def later() -> None:
    raise Unavailable("Temporal does not answer.")


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    trusted = {"idp": OKPKey.import_key(IDP.as_dict(private=False))}
    runtime = SimpleNamespace(requests=Requests(), tokens=TokenVerifier(trusted, "intake"))
    app = create_app("intake", [routes], cast("Runtime", runtime))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://intake") as client:
        yield client


def a_person(**changes: Any) -> dict[str, Any]:
    return {"identity_number": "50011619900101123X", **changes}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({"people": []}, "people", id="a household without members"),
        pytest.param({}, "people", id="a missing field"),
        pytest.param(
            {"people": [a_person(identity_number=IDENTITY_NUMBER)]},
            "people.0.identity_number",
            id="a wrong identity number",
        ),
        pytest.param(
            {"people": [a_person(), a_person(income_fen=-5000)]}, "people.1.income_fen", id="negative money"
        ),
        pytest.param(
            {"people": [a_person(born_on=IDENTITY_NUMBER)]}, "people.0.born_on", id="a date that is none"
        ),
        pytest.param({"people": [a_person()], "income": 1}, "income", id="an unknown field"),
        pytest.param(
            {"people": [a_person()], "notes": {IDENTITY_NUMBER: "x"}}, "notes.?", id="a secret as a key"
        ),
        pytest.param([IDENTITY_NUMBER], "body", id="a list for an object"),
    ],
)
async def test_a_field_that_is_not_valid_is_named_and_its_value_is_not(
    client: httpx.AsyncClient, body: Any, field: str
):
    answer = await client.post("/households", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert answer.json()["type"] == "urn:onething:problem:not_valid"
    assert IDENTITY_NUMBER not in answer.text
    assert "-5000" not in answer.text


@pytest.mark.parametrize(
    ("request_of", "status", "code"),
    [
        pytest.param({"method": "GET", "url": "/nowhere"}, 404, "not_found", id="unknown address"),
        pytest.param(
            {"method": "DELETE", "url": "/households"}, 405, "method_not_allowed", id="wrong method"
        ),
        pytest.param(
            {
                "method": "POST",
                "url": "/households",
                "content": b"a=b",
                "headers": {"content-type": "application/x-www-form-urlencoded"},
            },
            415,
            "not_json",
            id="form",
        ),
        pytest.param(
            {"method": "POST", "url": "/households", "content": b"{}"}, 415, "not_json", id="no type"
        ),
        pytest.param(
            {
                "method": "POST",
                "url": "/households",
                "content": b"{",
                "headers": {"content-type": "application/json"},
            },
            422,
            "not_valid",
            id="broken JSON",
        ),
        pytest.param(
            {
                "method": "POST",
                "url": "/households",
                "content": b"[" * 200_000,
                "headers": {"content-type": "application/json"},
            },
            400,
            "bad_request",
            id="too deep JSON",
        ),
        pytest.param(
            {
                "method": "POST",
                "url": "/households",
                "content": b'{"people": ["\\u0000"]}',
                "headers": {"content-type": "application/json"},
            },
            422,
            "nul_character",
            id="NUL in the body",
        ),
        pytest.param({"method": "GET", "url": "/items/%00"}, 422, "nul_character", id="NUL in the path"),
        pytest.param({"method": "GET", "url": "/open?a=%00"}, 422, "nul_character", id="NUL in the query"),
        pytest.param({"method": "POST", "url": "/refuse"}, 409, "notice_open", id="a refusal of ours"),
        pytest.param({"method": "POST", "url": "/later"}, 503, "unavailable", id="a passing failure"),
        pytest.param({"method": "POST", "url": "/break"}, 500, "internal_error", id="an error of ours"),
    ],
)
async def test_every_refusal_is_a_problem(
    client: httpx.AsyncClient, request_of: dict[str, Any], status: int, code: str
):
    answer = await client.request(**request_of)
    assert (answer.status_code, answer.headers["content-type"], answer.json()["code"]) == (
        status,
        PROBLEM,
        code,
    )
    assert IDENTITY_NUMBER not in answer.text


@pytest.mark.parametrize("body", [
    '{"people": []}'.encode("utf-16"), b"\xef\xbb\xbf{}", b'{"people": ["\xff"]}', b'{"\xed\xa0\x80": 1}',
], ids=["UTF-16", "a byte order mark", "no UTF-8", "half a surrogate pair"])
async def test_json_is_taken_in_utf_8_only(client: httpx.AsyncClient, body: bytes):
    answer = await client.post("/households", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "not_utf8")


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "short"}])
async def test_a_header_that_is_missing_or_not_valid_is_named(client: httpx.AsyncClient, headers: dict[str, str]):
    answer = await client.post("/keyed", headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "idempotency-key")


@pytest.mark.parametrize("streamed", [False, True], ids=["length told", "length not told"])
async def test_five_megabytes_are_refused_whatever_length_is_told(client: httpx.AsyncClient, streamed: bool):
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b"x" * (BODY_MAX_BYTES // 10)

    content = parts() if streamed else b"x" * 5 * BODY_MAX_BYTES
    answer = await client.post("/households", content=content, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.headers["content-type"]) == (413, PROBLEM)


async def test_a_token_in_another_role_may_not(client: httpx.AsyncClient):
    signer = TokenSigner(IDP)
    callers = {
        200: Caller("officer:1", "officer", jurisdiction="500116"),
        403: Caller("citizen:1", "citizen"),
    }
    for status, caller in callers.items():
        token = signer.person_token(caller, lifetime=timedelta(minutes=5))
        answer = await client.get(f"/items/{uuid4()}", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == status


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x"}, {"Authorization": "Basic x"}])
async def test_without_a_good_token_one_is_asked_for(client: httpx.AsyncClient, headers: dict[str, str]):
    answer = await client.get(f"/items/{uuid4()}", headers=headers)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.headers["content-type"] == PROBLEM


async def test_a_request_keeps_its_correlation_id_and_anything_but_a_uuid_is_replaced(
    client: httpx.AsyncClient,
):
    given = str(uuid4())
    kept = await client.get("/open", headers={"X-Correlation-Id": given})
    replaced = await client.get("/open", headers={"X-Correlation-Id": IDENTITY_NUMBER})
    assert kept.headers["x-correlation-id"] == kept.json()["correlation_id"] == given
    assert UUID(replaced.json()["correlation_id"]).version == 7


async def test_open_requests_are_counted_while_they_are_answered(client: httpx.AsyncClient):
    assert (await client.get("/open")).json()["open"] == 1
    answers = await asyncio.gather(*(client.post("/break") for _ in range(3)))
    assert {answer.status_code for answer in answers} == {500}
    assert (await client.get("/open")).json()["open"] == 1


async def test_an_error_of_ours_is_logged_without_its_message(
    client: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
):
    await client.post("/break")
    logged = capsys.readouterr().out
    assert "http.failed" in logged
    assert "RuntimeError" in logged
    assert IDENTITY_NUMBER not in logged


async def test_answers_carry_security_headers(client: httpx.AsyncClient):
    headers = (await client.get("/open")).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"].startswith("default-src 'none'")


async def test_the_description_documents_problems_for_every_operation(client: httpx.AsyncClient):
    described = (await client.get("/openapi.json")).json()
    operations = [operation for path in described["paths"].values() for operation in path.values()]
    assert all(PROBLEM in operation["responses"]["422"]["content"] for operation in operations)
    assert {"ProblemBody", "FieldError"} <= described["components"]["schemas"].keys()
