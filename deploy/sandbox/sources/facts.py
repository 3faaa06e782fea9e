"""What a story tells the data sources about one person, and what they answer by themselves."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr

from contracts.benefits import Source
from contracts.events.means_check import AnswerKind
from contracts.http.source import SourceAnswer


class Behaviour(StrEnum):
    """How a source takes a question."""

    ANSWERS = "answers"
    SILENT = "silent"
    """It takes the question and never answers."""
    UNREACHABLE = "unreachable"
    """It answers no request: HTTP 503."""
    WRONG = "wrong"
    """It answers what the contract does not know."""


class Told(BaseModel):
    """What one source is to say about one person."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: AnswerKind = AnswerKind.NO_RECORD
    data: dict[str, int | bool | str] = {}
    late_days: Annotated[int, Field(ge=0)] = 0
    """Legal days between question and answer, to which hours may be added; with neither it answers at once."""
    late_hours: Annotated[int, Field(ge=0)] = 0
    behaviour: Behaviour = Behaviour.ANSWERS


class Facts(BaseModel):
    """`POST /facts`: replaces what the sources named say about this person."""

    model_config = ConfigDict(extra="forbid")

    identity_number: SecretStr
    answers: dict[Source, Told]


class Asked(BaseModel):
    """A question as it reached a source, for whoever wants to check that nobody was asked about too early."""

    query_id: UUID
    source: Source
    person_sha256: str
    legal_time: AwareDatetime
    authorisation_number: str


NOTHING_KNOWN = Told()
REGISTERED_ALIVE = Told(kind=AnswerKind.DATA, data={"alive": True})


def person_sha256(identity_number: str) -> str:
    """How the sources name a person in what they write down: never by the number itself."""
    return hashlib.sha256(identity_number.encode()).hexdigest()


def told_by_default(source: Source) -> Told:
    """A person nobody told about is registered, alive, and has nothing."""
    return REGISTERED_ALIVE if source is Source.CIVIL_REGISTRY else NOTHING_KNOWN


def answer_of(told: Told, query_id: UUID, as_of: datetime) -> SourceAnswer:
    """The answer to one question."""
    if told.behaviour is Behaviour.WRONG:
        return SourceAnswer(query_id=query_id, kind=AnswerKind.DATA, as_of=as_of, data={"unheard_of": "?"})
    if told.behaviour is Behaviour.UNREACHABLE:
        return SourceAnswer(query_id=query_id, kind=AnswerKind.NO_ANSWER)
    tells = told.kind in (AnswerKind.DATA, AnswerKind.NO_RECORD)
    return SourceAnswer(query_id=query_id, kind=told.kind, as_of=as_of if tells else None, data=told.data)


def answers_at(told: Told, legal_time: datetime) -> datetime:
    """The legal moment of the answer to a question put at `legal_time`."""
    return legal_time + timedelta(days=told.late_days, hours=told.late_hours)
