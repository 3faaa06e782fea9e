"""One call: made by schemathesis from the OpenAPI with ids that exist, or a valid call with something changed."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import quote, urlencode

from hypothesis import strategies as st
from schemathesis import Case, GenerationMode

from tests.fuzz import hostile
from tests.fuzz.fuzzed_service import FuzzedService

ELSEWHERE = ("/", "/nothing/here", "/docs", "/openapi.json", "/cases/", "//", f"/{hostile.IDENTITY_NUMBER}")
METHODS = ("HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "POST", "GET")
SHOWN_BYTES = 1_500
NO_HEADER = re.compile(rb"[\r\n\x00]")
"""Bytes that a server refuses before the service sees the request."""
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Valid:
    """A call that the service should carry out, as its users make it."""

    label: str
    caller: str
    path: Mapping[str, str] = field(default_factory=dict[str, str])
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass
class Inhabited:
    """What stands in the database: valid calls, and ids by the names under which operations ask for them."""

    valid: list[Valid]
    ids: dict[str, list[str]]

    def of(self, label: str) -> list[Valid]:
        return [call for call in self.valid if call.label == label]


@dataclass(frozen=True)
class Call:
    """A request as it is sent. `label` is the documented operation, or empty where there is none."""

    label: str
    method: str
    url: str
    caller: str
    headers: tuple[tuple[str, bytes], ...]
    body: bytes

    def __str__(self) -> str:
        shown = self.body[:SHOWN_BYTES].decode("utf-8", "backslashreplace")
        more = f" … {len(self.body)} bytes" if len(self.body) > SHOWN_BYTES else ""
        headers = "".join(f"\n  {name}: {value[:200]!r}" for name, value in self.headers)
        return f"{self.method} {self.url}\n  as {self.caller}{headers}\n  {shown}{more}"


def calls(service: FuzzedService, inhabited: Inhabited, labels: Sequence[str]) -> st.SearchStrategy[Call]:
    """Calls of these operations, and a few of none."""
    documented = st.sampled_from(labels).flatmap(lambda label: _of_operation(service, inhabited, label))
    return st.integers(0, 24).flatmap(lambda one: _undocumented(service) if one == 24 else documented)


@st.composite
def strangers(draw: st.DrawFn, service: FuzzedService, inhabited: Inhabited) -> Call:
    """A valid call by somebody whose token proves nothing."""
    valid = draw(st.sampled_from(inhabited.valid))
    header = draw(hostile.tokens())
    call = as_sent(service, valid, caller="nobody")
    return Call(call.label, call.method, call.url, "a stranger", (*call.headers, ("authorization", header)), call.body)


@st.composite
def _of_operation(draw: st.DrawFn, service: FuzzedService, inhabited: Inhabited, label: str) -> Call:
    known = inhabited.of(label)
    rightful = [call.caller for call in known] or ["operator"]
    caller = draw(st.sampled_from(rightful) if draw(_likely(3)) else st.sampled_from(sorted(service.callers)))
    if known and draw(_likely(2)):
        valid = draw(st.sampled_from(known))
        who = valid.caller if draw(_likely(5)) else caller
        return draw(_changed(service, inhabited, valid, who))
    mode = draw(st.sampled_from([GenerationMode.POSITIVE, GenerationMode.POSITIVE, GenerationMode.NEGATIVE]))
    if mode is GenerationMode.NEGATIVE and not _takes_input(service, label):
        mode = GenerationMode.POSITIVE
    case = draw(service.cases(label, mode))
    existing = draw(_likely(4))
    headers = {name: str(value) for name, value in case.headers.items() if name.lower() != "authorization"}
    path = {name: draw(_known_or(inhabited, name, value, existing)) for name, value in case.path_parameters.items()}
    query = {name: draw(_known_or(inhabited, name, value, existing)) for name, value in (case.query or {}).items()}
    body = draw(_with_known_ids(inhabited, _json_of(case))) if existing else _json_of(case)
    return as_sent(service, Valid(label, caller, path, query, body, headers), caller)


@st.composite
def _changed(draw: st.DrawFn, service: FuzzedService, inhabited: Inhabited, valid: Valid, caller: str) -> Call:
    body, path, query = copy.deepcopy(valid.body), dict(valid.path), dict(valid.query)
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 1, 2, 3]))):
        place = draw(st.sampled_from(["body", "body", "body", "body", "path", "query"]))
        if place == "body" and body is not None:
            body = draw(_changed_json(inhabited, body))
        elif place == "path" and path:
            name = draw(st.sampled_from(sorted(path)))
            path[name] = draw(_known_or(inhabited, name, draw(_hostile_text()), draw(st.booleans())))
        elif place == "query":
            name = draw(st.sampled_from([*sorted(query), "kind", "limit", hostile.IDENTITY_NUMBER]))
            query[name] = draw(_hostile_text())
    call = as_sent(service, Valid(valid.label, caller, path, query, body, valid.headers), caller)
    sent = call.body
    if draw(st.integers(0, 4)) == 4:
        sent = draw(st.sampled_from(hostile.BODIES) | (hostile.rewritten(sent) if sent else st.nothing()))
    replaced = draw(hostile.headers()) if draw(st.integers(0, 9)) == 9 else None
    headers = call.headers
    if replaced is not None:
        name, value = replaced
        headers = tuple(pair for pair in headers if pair[0] != name) + (((name, value),) if value else ())
    return Call(call.label, call.method, call.url, caller, headers, sent)


@st.composite
def _undocumented(draw: st.DrawFn, service: FuzzedService) -> Call:
    template = draw(st.sampled_from(sorted({operation.path for operation in service.operations.values()})))
    free = [method for method in METHODS if f"{method} {template}" not in service.operations]
    beside = Call("", draw(st.sampled_from(free)), template.replace("{", "").replace("}", ""), "nobody", (), b"")
    elsewhere = Call("", draw(st.sampled_from(METHODS)), draw(st.sampled_from(ELSEWHERE)), "nobody", (), b"")
    return beside if draw(st.booleans()) else elsewhere


def as_sent(service: FuzzedService, valid: Valid, caller: str) -> Call:
    """A valid call on the wire."""
    operation = service.operations[valid.label]
    path = operation.path
    for name, value in valid.path.items():
        path = path.replace(f"{{{name}}}", quote(value.encode("utf-8", "replace"), safe="%-._~"))
    query = urlencode(valid.query, errors="replace")
    headers = {name.lower(): NO_HEADER.sub(b"", value.encode("utf-8", "replace"))
               for name, value in valid.headers.items()}
    body = b""
    if valid.body is not None:
        body = json.dumps(valid.body, default=str).encode()
        headers.setdefault("content-type", b"application/json")
    url = f"{path}?{query}" if query else path
    return Call(valid.label, operation.method.upper(), url, caller, tuple(headers.items()), body)


def _json_of(case: Case) -> Any:
    try:
        json.dumps(case.body)
    except TypeError:
        return None
    return case.body


def _takes_input(service: FuzzedService, label: str) -> bool:
    operation = service.operations[label]
    return bool(operation.body or operation.path_parameters or operation.query)


def _likely(times: int) -> st.SearchStrategy[bool]:
    """True so many times as often as False; shrinks to True."""
    return st.integers(0, times).map(lambda number: number < times)


def _hostile_text() -> st.SearchStrategy[str]:
    texts = [value if isinstance(value, str) else json.dumps(value)[:2_000] for value in hostile.VALUES]
    return st.sampled_from(texts)


def _known_or(inhabited: Inhabited, name: str, value: Any, existing: bool) -> st.SearchStrategy[str]:
    if existing and name in inhabited.ids:
        return st.sampled_from(inhabited.ids[name])
    return st.just(value if isinstance(value, str) else json.dumps(value, default=str))


@st.composite
def _with_known_ids(draw: st.DrawFn, inhabited: Inhabited, content: Any) -> Any:
    changed = copy.deepcopy(content)
    for path in _places(changed):
        name = path[-1] if path and isinstance(path[-1], str) else path[-2] if len(path) > 1 else None
        value = _at(changed, path)
        if isinstance(value, str) and isinstance(name, str) and name in inhabited.ids:
            _put(changed, path, draw(st.sampled_from(inhabited.ids[name])))
    return changed


@st.composite
def _changed_json(draw: st.DrawFn, inhabited: Inhabited, content: Any) -> Any:
    places = list(_places(content))
    path = draw(st.sampled_from(places))
    if not path:
        return draw(hostile.values_for(content))
    change = draw(st.sampled_from(["put", "put", "put", "put", "drop", "twice", "more"]))
    if change == "put":
        _put(content, path, draw(hostile.values_for(_at(content, path))))
    elif change == "drop":
        del _at(content, path[:-1])[path[-1]]
    elif change == "twice" and isinstance(value := _at(content, path), list) and value:
        value.append(copy.deepcopy(value[0]))
    elif isinstance(value := _at(content, path), dict):
        value[draw(st.sampled_from([hostile.IDENTITY_NUMBER, "", "extra"]))] = draw(hostile.values_for(""))
    return content


def _places(content: Any, at: Path = ()) -> Iterator[Path]:
    yield at
    if isinstance(content, dict):
        for key, value in cast("dict[str, Any]", content).items():
            yield from _places(value, (*at, key))
    elif isinstance(content, list):
        for index, value in enumerate(cast("list[Any]", content)):
            yield from _places(value, (*at, index))


def _at(content: Any, path: Path) -> Any:
    for step in path:
        content = content[step]
    return content


def _put(content: Any, path: Path, value: Any) -> None:
    _at(content, path[:-1])[path[-1]] = value
