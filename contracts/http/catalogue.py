"""The HTTP messages that we and a party outside exchange: who sends which. `application` and the rest are our own."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pydantic import BaseModel

from contracts.http.bank import BatchResult, LinesTaken, PaymentBatch, Statement
from contracts.http.casework import AnswerReferral, Recorded
from contracts.http.message import ProblemDetails
from contracts.http.source import AnswersTaken, SourceAnswers, SourceQueries


class Direction(StrEnum):
    """Who has to keep up with whom."""

    SENT = "sent"
    """We write it, a party outside reads it."""
    RECEIVED = "received"
    """A party outside writes it, we read it."""


@dataclass(frozen=True)
class HttpMessage:
    """One body of a request or an answer."""

    model: type[BaseModel]
    party: str
    direction: Direction

    @property
    def name(self) -> str:
        """As in the code, such as `PaymentBatch`."""
        return self.model.__name__


SOURCE, BANK, DEPARTMENT, ANYONE = "source", "bank", "department", "anyone"

HTTP_MESSAGES: Final[tuple[HttpMessage, ...]] = (
    HttpMessage(SourceQueries, SOURCE, Direction.SENT),
    HttpMessage(SourceAnswers, SOURCE, Direction.RECEIVED),
    HttpMessage(AnswersTaken, SOURCE, Direction.SENT),
    HttpMessage(PaymentBatch, BANK, Direction.SENT),
    HttpMessage(BatchResult, BANK, Direction.RECEIVED),
    HttpMessage(Statement, BANK, Direction.RECEIVED),
    HttpMessage(LinesTaken, BANK, Direction.SENT),
    HttpMessage(AnswerReferral, DEPARTMENT, Direction.RECEIVED),
    HttpMessage(Recorded, DEPARTMENT, Direction.SENT),
    HttpMessage(ProblemDetails, ANYONE, Direction.SENT),
)
