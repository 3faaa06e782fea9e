"""How a source may be told to misbehave, for tests: it then breaks promises a real source might break."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field

from contracts.envelope import new_id
from contracts.http.source import SourceAnswer, SourceAnswers

HUGE_BYTES = 20_000_000


class Way(StrEnum):
    """What a source does with a request."""

    PROPER = "proper"
    HALF = "half"
    """It leaves out every second person it has an answer about."""
    TWICE = "twice"
    """Each answer stands in the response twice."""
    TWO_TALES = "two_tales"
    """Each question is answered twice, and not alike."""
    STRANGERS = "strangers"
    """It also answers questions that nobody asked."""
    OTHER_REQUEST = "other_request"
    """The response belongs to another request."""
    MALFORMED = "malformed"
    """The response is cut off in the middle."""
    HUGE = "huge"
    """The response has no end that anybody would wait for."""
    FAILS = "fails"
    """HTTP 500."""
    REFUSES = "refuses"
    """HTTP 422."""
    REFUSES_US = "refuses_us"
    """HTTP 401."""


class Manner(BaseModel):
    """`POST /{source}/manner`: replaces the one before."""

    model_config = ConfigDict(extra="forbid")

    way: Way = Way.PROPER
    requests: Annotated[int, Field(gt=0)] | None = None
    """After so many requests it is proper again; unset: until it is told otherwise."""


STATUSES = {Way.FAILS: 500, Way.REFUSES: 422, Way.REFUSES_US: 401}


def answers_in(way: Way, answers: Sequence[SourceAnswer]) -> list[SourceAnswer]:
    """What of its proper answers a source gives, and what it adds."""
    match way:
        case Way.HALF:
            return list(answers[::2])
        case Way.TWICE:
            return [*answers, *answers]
        case Way.TWO_TALES:
            return [*answers, *(_otherwise(answer) for answer in answers)]
        case Way.STRANGERS:
            return [*answers, *(answer.model_copy(update={"query_id": new_id()}) for answer in answers)]
        case _:
            return list(answers)


def response_in(way: Way, request_id: UUID, answers: Sequence[SourceAnswer]) -> Response | None:
    """The response where it is none a proper source would give; None: the usual one."""
    match way:
        case Way.OTHER_REQUEST:
            body = SourceAnswers(request_id=new_id(), answers=list(answers)).model_dump_json()
        case Way.MALFORMED:
            body = SourceAnswers(request_id=request_id, answers=list(answers)).model_dump_json()[:-7]
        case Way.HUGE:
            body = " " * HUGE_BYTES
        case _:
            return None
    return Response(body, media_type="application/json")


def _otherwise(answer: SourceAnswer) -> SourceAnswer:
    data = {name: not value if isinstance(value, bool) else value + 1 if isinstance(value, int) else value
            for name, value in answer.data.items()}
    return answer.model_copy(update={"data": data, "as_of": None if answer.data == data else answer.as_of})
