"""The fuzz itself: a service with one fault is found out, and one without is not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Annotated, Any, cast

import httpx
import pytest
import structlog
from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse, PlainTextResponse

from contracts.http.message import Answer, Command
from services.runtime.edge import Requests
from services.runtime.http import Problem, create_app, get_runtime
from tests.fuzz.calls import Inhabited, Valid, calls
from tests.fuzz.fuzzed_service import FuzzedService, documented_operations
from tests.fuzz.fuzzing import Fuzzing, Wrong
from tests.fuzz.hostile import IDENTITY_NUMBER

LABEL = "POST /people"
CALLS = 150
routes = APIRouter()
log = structlog.get_logger(__name__)


class Person(Command):
    """Someone with a number."""

    fault: str
    name: str
    identity_number: str


class Taken(Answer):
    """That someone is here."""

    name: str


@routes.post("/people")
async def take(person: Person, runtime: Annotated[Any, Depends(get_runtime)]) -> Taken:
    match person.fault:
        case "fails":
            raise RuntimeError
        case "answers with a status it does not document":
            return cast(Any, JSONResponse({}, 202))
        case "answers with a type it does not document":
            return cast(Any, PlainTextResponse("taken"))
        case "answers with what its schema does not hold":
            return cast(Any, JSONResponse({"name": 7}))
        case "refuses without a problem":
            return cast(Any, JSONResponse({"detail": "no"}, 409))
        case "repeats an identifier":
            raise Problem(409, "known", f"{person.identity_number} is known.")
        case "writes an identifier into its log":
            log.info("person.taken", number=person.identity_number)
        case "stores although it refuses":
            runtime.database.written += 1
            raise Problem(409, "known", "Known.")
        case _:
            pass
    return Taken(name=person.name)


@pytest.fixture
async def service() -> AsyncIterator[FuzzedService]:
    runtime = cast(Any, SimpleNamespace(requests=Requests(), database=SimpleNamespace(written=0)))
    app = create_app("people", [routes], runtime)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://people") as http:
        yield FuzzedService("people", runtime, runtime.database, http, cast(Any, None),
                            documented_operations(app.openapi()), cast(Any, None), {"nobody": {}, "operator": {}})


def people(fault: str) -> Inhabited:
    person = {"fault": fault, "name": "雷试行", "identity_number": IDENTITY_NUMBER}
    return Inhabited([Valid(LABEL, "nobody", body=person)], {})


@pytest.mark.parametrize(("fault", "told"), [
    ("fails", "status 500"),
    ("answers with a status it does not document", "Undocumented status code"),
    ("answers with a type it does not document", "Undocumented Content-Type"),
    ("answers with what its schema does not hold", "Response violates schema"),
    ("refuses without a problem", "an error of type application/json"),
    ("repeats an identifier", "an identifier of the request stands in the answer"),
    ("writes an identifier into its log", "an identifier of the request stands in the log"),
    ("stores although it refuses", "stored something although the call was refused"),
])
async def test_a_fault_is_found_and_its_smallest_call_is_told(service: FuzzedService, fault: str, told: str) -> None:
    with pytest.raises(Wrong) as wrong:
        await Fuzzing(service, 1).call_by(calls(service, people(fault), [LABEL]), CALLS, 1)
    assert told in str(wrong.value)
    assert "Seed 1, people:\nPOST /people" in str(wrong.value)


async def test_a_service_without_a_fault_passes(service: FuzzedService) -> None:
    fuzzing = Fuzzing(service, 1)
    await fuzzing.call_by(calls(service, people("none"), [LABEL]), CALLS, 1)
    assert fuzzing.tally.answers[LABEL, 200], "valid calls are among them"
    assert fuzzing.tally.answers[LABEL, 422], "and calls that are not"
