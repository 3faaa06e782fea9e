"""What we ask of a data source: one bulk request for many persons; answers now or later."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field

from contracts.events.means_check import AnswerKind
from contracts.http.message import Answer, Command, Moment


class SourceQuery(Command):
    """A question about one person, under one authorisation."""

    query_id: UUID
    authorisation_number: str
    person: str = Field(description="JWE to the source's key: {name, identity_number}.")


class SourceQueries(Command):
    """`POST /queries` of a data source. The same `query_id` asked again gets the same answer."""

    request_id: UUID
    legal_time: AwareDatetime
    queries: Annotated[list[SourceQuery], Field(min_length=1, max_length=1000)]


class SourceAnswer(Command):
    """An answer about one person. `data` only with kind `data`; sums in fen."""

    query_id: UUID
    kind: AnswerKind
    as_of: Moment | None = None
    data: dict[str, int | bool | str] = {}


class SourceAnswers(Command):
    """200: answers there are now (the rest comes later); or the body of `POST /sources/{source}/answers`."""

    request_id: UUID
    answers: Annotated[list[SourceAnswer], Field(max_length=1000)]


class AnswersTaken(Answer):
    """How many answers were new; an answer that came before counts as nothing."""

    taken: int
