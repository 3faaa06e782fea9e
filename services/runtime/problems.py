"""What can go wrong, as data: problems (RFC 9457), errors that retrying cannot mend, and errors that pass."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from pydantic import Field

from contracts.http import message

MEDIA_TYPE = "application/problem+json"
FRAMES_KEPT = 6


class FieldError(message.FieldError):
    """One field of the request that cannot be accepted; a general code where the sentence says it all."""

    code: str = "not_valid"


class ProblemBody(message.ProblemDetails):
    """The answer to a refused or failed request (RFC 9457)."""

    code: str = Field(description="Stable name of the problem, for programs; `type` is made of it.")
    correlation_id: str | None = Field(default=None, description="Quote this when asking for help.")


class PermanentError(Exception):
    """Trying again cannot help: a record goes to the dead letters, an activity is not retried."""

    def __init__(self, detail: str, *, code: str = "permanent") -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class Problem(PermanentError):
    """A refusal told to the one who asked. `detail` and `errors` never repeat the values that were sent."""

    def __init__(self, status: int, code: str, detail: str, errors: Sequence[FieldError] = ()) -> None:
        if not 400 <= status < 500:
            raise ValueError(f"A Problem has a status from 400 to 499, not {status}. Raise Unavailable.")
        super().__init__(detail, code=code)
        self.status = status
        self.errors = list(errors)


class Unavailable(Exception):
    """Something we depend on does not answer just now; trying again later can help. HTTP answers 503."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


TITLES = {
    400: "请求无法理解 Bad request",
    401: "请先登录 Sign in first",
    403: "无权操作 Not allowed",
    404: "没有找到 Not found",
    405: "不支持的方法 Method not allowed",
    409: "与现状冲突 Conflict with the present state",
    413: "内容过大 Content too large",
    415: "内容类型不支持 Unsupported content type",
    422: "内容有误 Content not valid",
    500: "系统出错 Internal error",
    503: "暂时无法办理 Temporarily unavailable",
}


def problem_body(
    status: int, code: str, detail: str, errors: Sequence[FieldError] = (), correlation_id: str | None = None
) -> ProblemBody:
    """The answer for one problem."""
    return ProblemBody(
        type=f"urn:onething:problem:{code}",
        title=TITLES.get(status, "无法办理 Cannot be done"),
        status=status,
        code=code,
        detail=detail,
        errors=list(errors),
        correlation_id=correlation_id,
    )


def error_trace(error: BaseException) -> dict[str, Any]:
    """An unexpected error for the log: its type and where it came from.

    Hazard: an error's message can repeat what was typed (pydantic, SQL parameters), an identity number too;
    so the message is left out.
    """
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES_KEPT:]
    described: dict[str, Any] = {
        "error": type(error).__name__,
        "at": [f"{'/'.join(PurePath(f.filename).parts[-3:])}:{f.lineno} {f.name}" for f in frames],
    }
    if error.__cause__ is not None:
        described["cause"] = type(error.__cause__).__name__
    if isinstance(error, PermanentError):
        described["code"] = error.code
    return described
