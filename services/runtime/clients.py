"""HTTP clients towards other services and outside parties: fresh tokens, timeouts, bounded retries."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from typing import Any, Protocol

import httpx
import structlog

from services.runtime.bounded_answers import BoundedAnswers
from services.runtime.problems import PermanentError, Unavailable
from services.runtime.tokens import TokenSigner

CONNECT_TIMEOUT_SECONDS = 2.0
ANSWER_TIMEOUT_SECONDS = 10.0
ATTEMPTS_MAX = 4
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0
IDEMPOTENT_METHODS = frozenset({"GET", "HEAD", "PUT", "DELETE"})


class Body(Protocol):
    """A message that writes itself as JSON (any pydantic model)."""

    def model_dump_json(self) -> str: ...


class Refused(PermanentError):
    """The other party refused what we asked (4xx): asking again cannot help."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail, code=code)
        self.status = status


class NoAnswer(Unavailable):
    """The other party gave no usable answer. `reached` is False where nobody even took the connection."""

    def __init__(self, detail: str, *, cause: str, reached: bool) -> None:
        super().__init__(detail)
        self.cause = cause
        self.reached = reached


class ServiceClient:
    """Speaks to one party. Machine time only: retries never wait for legal time."""

    def __init__(
        self,
        base_url: str,
        audience: str,
        signer: TokenSigner | None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.audience = audience
        self._signer = signer
        self._http = httpx.AsyncClient(
            base_url=base_url,
            timeout=httpx.Timeout(ANSWER_TIMEOUT_SECONDS, connect=CONNECT_TIMEOUT_SECONDS),
            transport=BoundedAnswers(transport or httpx.AsyncHTTPTransport(trust_env=False)),
            trust_env=False,
        )

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> httpx.Response:
        """GET; see `request`."""
        return await self.request("GET", path, params=params)

    async def post(
        self,
        path: str,
        body: Body | None = None,
        *,
        idempotency_key: str | None = None,
        idempotent: bool = False,
    ) -> httpx.Response:
        """POST a message; retried only with an `idempotency_key`, or where it is `idempotent` by itself."""
        return await self.request(
            "POST", path, body=body, idempotency_key=idempotency_key, idempotent=idempotent
        )

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: Body | None = None,
        params: Mapping[str, str] | None = None,
        idempotency_key: str | None = None,
        idempotent: bool = False,
    ) -> httpx.Response:
        """One call and its answer (2xx).

        Raises NoAnswer where the party cannot be reached or answers 5xx, 429 or too much (after bounded retries
        if the call may be repeated), and Refused where it refuses.
        """
        repeatable = idempotent or idempotency_key is not None or method in IDEMPOTENT_METHODS
        content = body.model_dump_json().encode() if body is not None else None
        attempts_max = ATTEMPTS_MAX if repeatable else 1
        reason, reached = "", True
        for attempt in range(attempts_max):
            if attempt:
                pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**attempt)
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            try:
                response = await self._http.request(
                    method,
                    path,
                    content=content,
                    params=params,
                    headers=self._headers(content, idempotency_key),
                )
            except httpx.TransportError as error:
                reason = type(error).__name__
                reached = not isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
                continue
            if response.status_code < 400:
                return response
            if response.status_code < 500 and response.status_code != 429:
                raise self._refused(response)
            reason, reached = f"HTTP {response.status_code}", True
        detail = f"{self.audience} does not answer ({reason}); tried {attempts_max} times."
        raise NoAnswer(detail, cause=reason, reached=reached)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def _headers(self, content: bytes | None, idempotency_key: str | None) -> dict[str, str]:
        headers: dict[str, str] = {}
        if content is not None:
            headers["Content-Type"] = "application/json"
        if self._signer is not None:
            headers["Authorization"] = f"Bearer {self._signer.service_token(self.audience)}"
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        correlation_id: Any = structlog.contextvars.get_contextvars().get("correlation_id")
        if correlation_id is not None:
            headers["X-Correlation-Id"] = str(correlation_id)
        return headers

    def _refused(self, response: httpx.Response) -> Refused:
        try:
            answer: Any = response.json()
            code = str(answer["code"])
        except (ValueError, KeyError, TypeError):
            code = "refused"
        # The other party's sentence is not passed on: it may be about other data than our caller's.
        detail = f"{self.audience} refused {response.request.method} with {response.status_code} ({code})."
        return Refused(response.status_code, code, detail)
