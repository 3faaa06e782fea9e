"""Answers of data sources, at once or late: put on file once each, then the checks that they end are reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlmodel import col

from contracts.benefits import Source
from contracts.events.means_check import AnswerKind
from contracts.http.source import SourceAnswer
from services.runtime.database import Transaction
from services.verification.complete_means_checks import OPEN_STATES, complete_means_checks
from services.verification.evidence_file import EvidenceOf, file_evidence
from services.verification.models import Authorisation, EvidenceKind, Query, QueryState
from services.verification.source_data import facts_of

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Given:
    """An answer that is valid, and why there is none where we or the source gave up."""

    answer: SourceAnswer
    reason: str | None = None


def one_each(answers: Sequence[SourceAnswer]) -> tuple[dict[UUID, SourceAnswer], set[UUID]]:
    """The answer to each question, and the questions that were answered in two ways at once.

    Hazard: of two different answers to one question at least one is about somebody else. Neither is believed.
    """
    each: dict[UUID, SourceAnswer] = {}
    contradicted: set[UUID] = set()
    for answer in answers:
        if each.setdefault(answer.query_id, answer) != answer:
            contradicted.add(answer.query_id)
    return each, contradicted


def no_answer(query_id: UUID, reason: str) -> Given:
    """Asked until the bound, without a usable answer."""
    return Given(SourceAnswer(query_id=query_id, kind=AnswerKind.NO_ANSWER), reason)


async def take_answers(tx: Transaction, source: Source, given: Mapping[UUID, Given]) -> int:
    """Put answers on file and return how many were new.

    Passed over: answers to questions this source was never asked, that were cancelled, whose letter was revoked,
    or that had an answer before (only `no_answer` may be mended by a later one).
    """
    case_ids = await tx.session.scalars(
        select(col(Query.case_id)).distinct().where(col(Query.query_id).in_(given), col(Query.source) == source))
    await tx.lock_cases(*case_ids)
    queries = list(await tx.session.scalars(
        select(Query).where(col(Query.query_id).in_(given), col(Query.source) == source, _takes_an_answer())
        .execution_options(populate_existing=True)
    ))
    queries = [query for query in queries
               if query.state != QueryState.ANSWERED or given[query.query_id].answer.kind != AnswerKind.NO_ANSWER]
    for query in queries:
        answer = given[query.query_id].answer
        query.state = QueryState.ANSWERED
        query.kind = answer.kind
        query.reason = given[query.query_id].reason
        query.as_of = answer.as_of
        query.answered_at = tx.clock.now
        query.waiting_since = query.ask_again_at = None
    await tx.session.flush()
    await file_evidence(tx, [_evidence(tx, source, query, given[query.query_id].answer) for query in queries])
    await complete_means_checks(tx, {query.case_id for query in queries})
    if len(queries) < len(given):
        log.warning("answers.passed_over", source=source, passed_over=len(given) - len(queries))
    return len(queries)


def _takes_an_answer() -> ColumnElement[bool]:
    revoked = exists().where(col(Authorisation.authorisation_id) == col(Query.authorisation_id),
                             col(Authorisation.revoked_at).is_not(None))
    mendable = and_(col(Query.state) == QueryState.ANSWERED, col(Query.kind) == AnswerKind.NO_ANSWER)
    return and_(or_(col(Query.state).in_(OPEN_STATES), mendable), ~revoked)


def _evidence(tx: Transaction, source: Source, query: Query, answer: SourceAnswer) -> EvidenceOf:
    content = {"query_id": str(query.query_id), "person_id": str(query.person_id), "source": source,
               "kind": answer.kind, "as_of": answer.as_of.isoformat() if answer.as_of else None,
               "data": answer.data}
    return EvidenceOf(
        case_id=query.case_id, item_id=None, jurisdiction=query.jurisdiction, kind=EvidenceKind.SOURCE_ANSWER,
        signer=f"source:{source}", content=content,
        facts=facts_of(source, query.person_id, answer, tx.clock.today),
    )
