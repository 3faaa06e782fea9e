"""The HTTP edge of every service: problems as answers, body limits, correlation, callers and their roles."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, cast
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.exceptions import HTTPException

from services.runtime.edge import Edge, problem_response
from services.runtime.problems import (
    MEDIA_TYPE,
    TITLES,
    FieldError,
    PermanentError,
    Problem,
    ProblemBody,
    Unavailable,
    problem_body,
)
from services.runtime.tokens import Caller, TokenRefused

if TYPE_CHECKING:
    from services.runtime.context import Runtime

__all__ = ["Caller", "FieldError", "Problem", "Unavailable", "create_app", "get_runtime", "require"]

FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}", re.ASCII)
SHORTEST_SECRET = 4
HTTP_CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed"}
HTTP_DETAILS = {
    400: "The body is not JSON that can be read.",
    404: "There is nothing at this address.",
    405: "This address does not take this method; see the Allow header.",
}
bearer = HTTPBearer(auto_error=False, description="A signed token (JWT, Ed25519).")


async def get_runtime(request: Request) -> Runtime:
    """The process this request is served by (for `Depends`). A coroutine: plain functions would go to a thread."""
    return _runtime_of(request)


def _runtime_of(request: Request) -> Runtime:
    return cast("Runtime", request.app.state.runtime)


def require(*roles: str) -> Callable[..., Awaitable[Caller]]:
    """A dependency: the caller, if they hold one of `roles`; else 401 or 403 as a problem."""

    async def caller_in_role(
        request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
    ) -> Caller:
        if credentials is None:
            raise Problem(401, "no_token", "Send a signed token: Authorization: Bearer <token>.")
        try:
            caller = _runtime_of(request).tokens.verify(credentials.credentials)
        except TokenRefused as refused:
            raise Problem(
                401, "token_refused", f"The token is refused: {refused}. Ask for a new one."
            ) from None
        if caller.role not in roles:
            raise Problem(
                403, "role_not_allowed", f"Role {caller.role} may not do this; needed: {', '.join(roles)}."
            )
        return caller

    return caller_in_role


def create_app(title: str, routers: Iterable[APIRouter], runtime: Runtime) -> FastAPI:
    """The service's HTTP application, wrapped in the edge that every request passes."""
    problem = {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemBody"}}}}
    statuses: dict[int | str, dict[str, Any]] = {
        status: {"description": TITLES[status], **problem}
        for status in (400, 401, 403, 404, 409, 413, 415, 422, 500, 503)
    }
    app = FastAPI(title=title, responses=statuses, redoc_url=None, redirect_slashes=False)
    app.state.runtime = runtime
    for router in routers:
        app.include_router(router)
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(PermanentError, _on_permanent_error)
    app.add_exception_handler(Unavailable, _on_unavailable)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_middleware(Edge, requests=runtime.requests)
    app.openapi = lambda: _openapi(app)
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, routes=app.routes)
        body = ProblemBody.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas = schema.setdefault("components", {}).setdefault("schemas", {})
        schemas.update(body.pop("$defs"), ProblemBody=body)
        app.openapi_schema = schema
    return app.openapi_schema


async def _on_problem(request: Request, error: Exception) -> JSONResponse:
    problem = cast(Problem, error)
    headers = {"WWW-Authenticate": "Bearer"} if problem.status == 401 else {}
    body = problem_body(
        problem.status, problem.code, problem.detail, problem.errors, _correlation_id(request)
    )
    return problem_response(body, headers)


async def _on_permanent_error(request: Request, error: Exception) -> JSONResponse:
    refused = cast(PermanentError, error)
    return problem_response(problem_body(409, refused.code, refused.detail, (), _correlation_id(request)))


async def _on_unavailable(request: Request, error: Exception) -> JSONResponse:
    detail = cast(Unavailable, error).detail
    body = problem_body(503, "unavailable", detail, (), _correlation_id(request))
    return problem_response(body, {"Retry-After": "2"})


async def _on_http_exception(request: Request, error: Exception) -> JSONResponse:
    raised = cast(HTTPException, error)
    # Hazard: a framework's detail may repeat input; ours are fixed sentences.
    detail = HTTP_DETAILS.get(raised.status_code, TITLES.get(raised.status_code, "The request is refused."))
    code = HTTP_CODES.get(raised.status_code, f"http_{raised.status_code}")
    body = problem_body(raised.status_code, code, detail, (), _correlation_id(request))
    return problem_response(body, raised.headers)


async def _on_validation_error(request: Request, error: Exception) -> JSONResponse:
    raised = cast(RequestValidationError, error)
    errors = [_field_error(item) for item in cast("list[Mapping[str, Any]]", raised.errors())]
    fields = ", ".join(dict.fromkeys(item.field for item in errors))
    detail = f"Not valid: {fields}. Nothing was stored; correct these and send again."
    body = problem_body(422, "not_valid", detail, errors, _correlation_id(request))
    return problem_response(body)


def _field_error(item: Mapping[str, Any]) -> FieldError:
    if item["type"] == "json_invalid":
        return FieldError(field="body", code="json_invalid", message="Not valid JSON.")
    place, *parts = cast("tuple[str | int, ...]", item["loc"])
    message = _without_input(str(item["msg"]), item.get("input"))
    return FieldError(field=_field_path(str(place), parts), code=str(item["type"]), message=message)


def _field_path(place: str, parts: Sequence[str | int]) -> str:
    if not parts:
        return place
    if place != "body":
        return ".".join(map(str, parts))  # names of headers and parameters as we declare them
    # Hazard: a key of the input stands in `loc`; whatever does not look like a field name is not repeated.
    return ".".join(str(part) if isinstance(part, int) or FIELD_NAME.fullmatch(part) else "?" for part in parts)


def _without_input(message: str, value: Any) -> str:
    """The message, unless it repeats something that was sent (it may be an identity number)."""
    if any(leaf in message for leaf in _leaves(value)):
        return "Not an accepted value."
    return message.removeprefix("Value error, ")


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in cast("Mapping[Any, Any]", value).items():
            yield from _leaves(key)
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in cast("list[Any]", value):
            yield from _leaves(inner)
    elif isinstance(value, str | int) and len(str(value)) >= SHORTEST_SECRET:
        yield str(value)


def _correlation_id(request: Request) -> str | None:
    value = request.scope.get("correlation_id")
    return str(value) if isinstance(value, UUID) else None
