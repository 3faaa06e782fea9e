"""What every request passes first: size, type, correlation id, security headers; no error gets out raw."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from uuid import UUID

import structlog
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contracts.envelope import new_id
from services.runtime.problems import MEDIA_TYPE, ProblemBody, error_trace, problem_body

log = structlog.get_logger(__name__)

BODY_MAX_BYTES = 1_000_000
DRAIN_MAX_BYTES = 16_000_000
PROBES = frozenset({"/health", "/ready", "/quiet", "/metrics"})
CORRELATION_HEADER = "x-correlation-id"
SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "strict-transport-security": "max-age=31536000",
}
CONTENT_SECURITY_POLICY = "default-src 'none'; frame-ancestors 'none'"
DOCUMENTATION = "/docs"


@dataclass
class Requests:
    """Requests now being answered, probes not counted."""

    open_count: int = 0


def problem_response(body: ProblemBody, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """A problem as an HTTP response."""
    return JSONResponse(
        body.model_dump(mode="json", exclude_none=True), body.status, headers=headers, media_type=MEDIA_TYPE
    )


class Edge:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, requests: Requests) -> None:
        self._app = app
        self._requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        counted = scope["path"] not in PROBES
        correlation_id = _correlation_id(Headers(scope=scope))
        scope["correlation_id"] = correlation_id
        self._requests.open_count += counted
        try:
            with structlog.contextvars.bound_contextvars(correlation_id=str(correlation_id)):
                await self._answer(scope, receive, send, correlation_id)
        finally:
            self._requests.open_count -= counted

    async def _answer(self, scope: Scope, receive: Receive, send: Send, correlation_id: UUID) -> None:
        status = 0
        started_at = perf_counter()

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(MutableHeaders(scope=message), scope["path"], correlation_id)
            await send(message)

        try:
            body = await _read_body(receive)
            refusal = _refusal(scope, body)
            if refusal is None:
                await self._app(scope, _replay(body or b"", receive), sending)
            else:
                await self._problem(refusal, scope, receive, sending, correlation_id)
        except Exception as error:
            log.error("http.failed", method=scope["method"], route=_route(scope), **error_trace(error))
            if status:
                raise
            failed = (500, "internal_error", "The request failed on our side and was not carried out.")
            await self._problem(failed, scope, receive, sending, correlation_id)
        if scope["path"] not in PROBES and scope["method"] != "GET":
            duration_ms = round((perf_counter() - started_at) * 1000)
            log.info(
                "http.answered",
                method=scope["method"],
                route=_route(scope),
                status=status,
                duration_ms=duration_ms,
            )

    @staticmethod
    async def _problem(
        problem: tuple[int, str, str], scope: Scope, receive: Receive, send: Send, correlation_id: UUID
    ) -> None:
        response = problem_response(problem_body(*problem, correlation_id=str(correlation_id)))
        await response(scope, receive, send)


def _refusal(scope: Scope, body: bytes | None) -> tuple[int, str, str] | None:
    if body is None:
        limit = f"{BODY_MAX_BYTES:,} bytes"
        return 413, "body_too_large", f"The body is larger than {limit}; send less at a time."
    media_type = Headers(scope=scope).get("content-type", "").partition(";")[0].strip().lower()
    if body and media_type != "application/json":
        return 415, "not_json", "Send JSON: Content-Type: application/json."
    # Hazard: Python's JSON reader takes UTF-16 and a byte order mark as well, which what follows does not look for.
    if not _is_utf8(body):
        return 400, "not_utf8", "Send the JSON as UTF-8 without a byte order mark (RFC 8259, section 8.1)."
    # Hazard: PostgreSQL's text takes no NUL; it would come back as an error of ours.
    if b"\\u0000" in body or b"%00" in scope["query_string"] or "\x00" in scope["path"]:
        return 422, "nul_character", "The request contains the character NUL, which no field takes."
    return None


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return b"\x00" not in body and not body.startswith(codecs.BOM_UTF8)


async def _read_body(receive: Receive) -> bytes | None:
    """The whole body, or None where it is too large, whatever Content-Length says.

    What is too large is read to its end, within a bound, so that the sender gets to see the answer.
    """
    parts: list[bytes] = []
    size = 0
    while size <= DRAIN_MAX_BYTES:
        message = await receive()
        part: bytes = message.get("body", b"")
        size += len(part)
        if size <= BODY_MAX_BYTES:
            parts.append(part)
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            break
    return b"".join(parts) if size <= BODY_MAX_BYTES else None


def _replay(body: bytes, receive: Receive) -> Receive:
    delivered = False

    async def replay() -> Message:
        nonlocal delivered
        if delivered:
            return await receive()
        delivered = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _correlation_id(headers: Headers) -> UUID:
    # Only a UUID is taken over: anything else could carry personal data into logs and events.
    try:
        return UUID(headers[CORRELATION_HEADER])
    except (KeyError, ValueError):
        return new_id()


def _add_headers(headers: MutableHeaders, path: str, correlation_id: UUID) -> None:
    headers[CORRELATION_HEADER] = str(correlation_id)
    for name, value in SECURITY_HEADERS.items():
        headers[name] = value
    if not path.startswith(DOCUMENTATION):
        headers["content-security-policy"] = CONTENT_SECURITY_POLICY


def _route(scope: Scope) -> str:
    # The route's template, never the address itself: an address is typed by others.
    return str(getattr(scope.get("route"), "path", "(none)"))
