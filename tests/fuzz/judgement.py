"""What every answer must be: documented, conforming, silent about identifiers, and without a trace where it refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import httpx
import requests
import schemathesis
from pydantic import ValidationError
from schemathesis import APIOperation
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from services.runtime.problems import MEDIA_TYPE, ProblemBody
from tests.fuzz.calls import Call

ANY_REQUEST = requests.Request("GET", "http://fuzz/").prepare()
CONFORMANCE = [
    status_code_conformance, content_type_conformance, response_headers_conformance, response_schema_conformance,
]
STORED_ALTHOUGH_REFUSED = {
    "POST /dead-letters/{letter_id}/retry": "that an operator tried is kept with the dead letter",
}
MAY_BE_UNAVAILABLE = {"GET /ready"}
"""Its 503 is what it is for; nothing else depends on a server that is away here."""

IDENTIFIERS = frozenset({
    "name", "identity_number", "phone", "registered_address", "living_address", "number", "signed_name",
    "electricity_account", "description", "note", "document",
})
IDENTITY_NUMBER = re.compile(r"\d{17}[\dXx]", re.ASCII)
PARAMETER = re.compile(r"{(\w+)}")
PERSONAL = re.compile(r"\d{8}|试行", re.ASCII)
"""What the made-up phones, accounts, names and addresses have in common, and no word of ours has.

Hazard: Hypothesis also draws from the strings in our own sources; as a name such a word may stand in any answer.
"""


def faults(
    call: Call, operation: APIOperation | None, answer: httpx.Response, *, written: int, logged: Sequence[Any] = ()
) -> list[str]:
    """Everything wrong with an answer; `written` is how many transactions of the call wrote and were committed."""
    found = [*_of_status(call, operation, answer), *_of_conformance(operation, answer)]
    if answer.status_code >= 400:
        found += _of_problem(call, answer)
        told = f"{answer.text} {answer.headers}"
        found += [f"an identifier of the request stands in the answer: {text!r}" for text in identifiers(call)
                  if text in told or json.dumps(text)[1:-1] in told]
        if written and call.label not in STORED_ALTHOUGH_REFUSED:
            found.append(f"{written} transactions stored something although the call was refused")
    journal = str(logged)
    found += [f"an identifier of the request stands in the log: {text!r}" for text in identifiers(call)
              if text in journal]
    return found


def identifiers(call: Call) -> set[str]:
    """Everything in the request that names a person: by its field, or because it is an identity number."""
    sent = f"{call.url} {call.headers} {call.body.decode('utf-8', 'replace')}"
    found = set(IDENTITY_NUMBER.findall(sent))
    try:
        content = json.loads(call.body)
    except (ValueError, RecursionError):
        return found
    return found | {text for text in _named(content) if PERSONAL.search(text)}


def _of_status(call: Call, operation: APIOperation | None, answer: httpx.Response) -> Iterator[str]:
    if answer.status_code >= 500 and not (answer.status_code == 503 and call.label in MAY_BE_UNAVAILABLE):
        yield f"status {answer.status_code}"
    if operation is None and answer.status_code not in (200, 307, 401, 403, 404, 405, 422):
        yield f"status {answer.status_code} of an address that is not documented"


def _of_conformance(operation: APIOperation | None, answer: httpx.Response) -> Iterator[str]:
    if operation is None:
        return
    try:
        case = operation.Case(path_parameters=dict.fromkeys(PARAMETER.findall(operation.path), "any"))
        case.validate_response(_of_schemathesis(answer), checks=CONFORMANCE)
    except FailureGroup as group:
        for failure in group.exceptions:
            yield f"{failure.title}: {failure.message}" if isinstance(failure, Failure) else str(failure)


def _of_schemathesis(answer: httpx.Response) -> schemathesis.Response:
    # Its own conversion also builds the request anew, with a client that refuses to send what we have sent.
    headers = {name: [value] for name, value in answer.headers.items()}
    return schemathesis.Response(answer.status_code, headers, answer.content, ANY_REQUEST, 0.0, verify=True,
                                 encoding=answer.encoding)


def _of_problem(call: Call, answer: httpx.Response) -> Iterator[str]:
    if answer.status_code == 503 and call.label in MAY_BE_UNAVAILABLE:
        return
    if answer.headers.get("content-type") != MEDIA_TYPE:
        yield f"an error of type {answer.headers.get('content-type')}"
        return
    if call.method == "HEAD":
        return
    try:
        problem = ProblemBody.model_validate_json(answer.content, strict=True)
    except ValidationError:
        yield "an error that is no problem (RFC 9457)"
        return
    if problem.status != answer.status_code or not (problem.detail and problem.title and problem.code):
        yield "a problem without its status, title, detail or code"
    if problem.type != f"urn:onething:problem:{problem.code}":
        yield "a problem whose type does not say its code"


def _named(content: Any) -> Iterator[str]:
    if isinstance(content, dict):
        for name, value in content.items():
            if name in IDENTIFIERS and isinstance(value, str | int) and not isinstance(value, bool):
                yield str(value)
            yield from _named(value)
    elif isinstance(content, list):
        for value in content:
            yield from _named(value)
