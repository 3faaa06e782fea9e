"""The loop that asks data sources: questions of many cases gathered into one bulk request per source.

All times here are machine time. A question under way carries a lease; if this process dies between asking and
recording, the lease ends and the same question is asked again under the same id, which a source answers alike.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, and_, func, select, text, update
from sqlmodel import col

from contracts.benefits import Source
from contracts.envelope import new_id
from contracts.http.source import SourceAnswer, SourceQueries, SourceQuery
from contracts.http.vault import Purpose, SealRequest, VaultField
from services.runtime.database import Transaction
from services.runtime.loops import Loop
from services.runtime.vault_client import seal_known
from services.verification.models import Query, QueryState
from services.verification.source_client import SourceFailed, ask_source
from services.verification.source_data import check_answer
from services.verification.start_means_checks import ASK_SOURCES
from services.verification.take_answers import Given, no_answer, take_answers

if TYPE_CHECKING:
    from services.runtime.process import Runtime

log = structlog.get_logger(__name__)

GATHER_WINDOW_SECONDS: Final = 0.15
GATHERED_ENOUGH: Final = 200
QUERIES_MAX: Final = 1000
"""Of one request, by the contract with the sources."""
SEAL_SECONDS_MAX: Final = 4.0
LEASE_SECONDS: Final = 10
"""Longer than sealing and asking may take together."""
ATTEMPTS_MAX: Final = 3
PAUSE_SECONDS: Final = (0.3, 1.0)
"""Longest pause before the second and the third attempt; jittered, so that many processes do not knock at once."""

PICK = text("""
    with picked as (
        select query_id from verification.queries
        where state in ('due', 'asking') and ask_from <= clock_timestamp()
        order by ask_from limit :most
        for update skip locked
    )
    update verification.queries as query
    set state = 'asking', attempts_count = attempts_count + 1,
        ask_from = clock_timestamp() + make_interval(secs => :lease_seconds)
    from picked, verification.authorisations as letter
    where query.query_id = picked.query_id and letter.authorisation_id = query.authorisation_id
        and letter.revoked_at is null
    returning query.query_id, query.case_id, query.person_id, query.source, query.attempts_count, letter.number
""")
"""Order between questions does not matter, so two processes may share them by skipping each other's rows."""


@dataclass(frozen=True)
class Picked:
    """A question this process is about to ask."""

    query_id: UUID
    case_id: UUID
    person_id: UUID
    source: Source
    attempts_count: int
    authorisation_number: str


async def ask_sources(runtime: Runtime) -> int:
    """Ask what is due, all sources at once; return how many questions were put."""
    if not await _gather(runtime):
        return 0
    async with runtime.database.transaction() as tx:
        picked = await _pick(tx)
    by_source: dict[Source, list[Picked]] = {}
    for question in picked:
        by_source.setdefault(question.source, []).append(question)
    # Each source is on its own: one that fails takes no other with it; then the first error is the loop's.
    outcomes = await asyncio.gather(
        *(_ask(runtime, source, questions) for source, questions in by_source.items()), return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return len(picked)


async def questions_pending(runtime: Runtime) -> int:
    """Questions that are due or under way; those that wait on a source are not."""
    async with runtime.database.transaction() as tx:
        pending = await tx.session.scalar(
            select(func.count()).select_from(Query).where(col(Query.state).in_([QueryState.DUE, QueryState.ASKING])))
        return pending or 0


LOOP = Loop(ASK_SOURCES, ask_sources, questions_pending, poll_seconds=0.25)


async def _gather(runtime: Runtime) -> bool:
    """Wait until the window since the oldest due question is over, or enough have come. False: none is due."""
    while True:
        async with runtime.database.transaction() as tx:
            due_count, oldest_seconds = (await tx.session.execute(text(
                "select count(*), extract(epoch from clock_timestamp() - min(ask_from))::float8 "
                "from verification.queries where state in ('due', 'asking') and ask_from <= clock_timestamp()"
            ))).one()
        if due_count == 0:
            return False
        if due_count >= GATHERED_ENOUGH or oldest_seconds >= GATHER_WINDOW_SECONDS:
            return True
        await asyncio.sleep(GATHER_WINDOW_SECONDS - oldest_seconds)


async def _pick(tx: Transaction) -> list[Picked]:
    rows = await tx.session.execute(PICK, {"most": QUERIES_MAX, "lease_seconds": LEASE_SECONDS})
    return [Picked(query_id, case_id, person_id, Source(source), attempts_count, number)
            for query_id, case_id, person_id, source, attempts_count, number in rows]


async def _ask(runtime: Runtime, source: Source, questions: Sequence[Picked]) -> None:
    try:
        async with asyncio.timeout(SEAL_SECONDS_MAX):
            sealed = await seal_known(
                runtime, purpose=Purpose.MEANS_CHECK, recipient=f"source:{source}",
                persons=[SealRequest(person_id=question.person_id, case_id=question.case_id)
                         for question in questions],
                fields=[VaultField.NAME, VaultField.IDENTITY_NUMBER],
            )
    except Exception:
        # Our own vault is not the source's fault: nothing was asked, so it counts as no attempt.
        await _give_back(runtime, questions)
        raise
    unknown = [question for question, one in zip(questions, sealed, strict=True) if one is None]
    if unknown:
        await _record_failure(runtime, source, unknown, SourceFailed("identifiers_not_available", passes=False))
    await _put(runtime, source, [(question, one.jwe) for question, one in zip(questions, sealed, strict=True) if one])


async def _put(runtime: Runtime, source: Source, sealed: Sequence[tuple[Picked, str]]) -> None:
    """Put questions to a source, each with the person encrypted to it, and record what comes."""
    if not sealed:
        return
    questions = [question for question, _ in sealed]
    async with runtime.database.transaction() as tx:
        legal_time = tx.clock.now
    request = SourceQueries(request_id=new_id(), legal_time=legal_time, queries=[
        SourceQuery(query_id=question.query_id, authorisation_number=question.authorisation_number, person=person)
        for question, person in sealed
    ])
    try:
        answers = await ask_source(runtime, source, request)
    except SourceFailed as failed:
        log.warning("source.failed", source=source, reason=failed.reason, questions=len(questions))
        await _record_failure(runtime, source, questions, failed)
    else:
        await _record_answers(runtime, source, questions, answers)


async def _give_back(runtime: Runtime, questions: Sequence[Picked]) -> None:
    async with runtime.database.transaction() as tx:
        await tx.session.execute(
            update(Query).where(_under_way(questions))
            .values(state=QueryState.DUE, attempts_count=col(Query.attempts_count) - 1, ask_from=func.clock_timestamp())
        )


async def _record_answers(runtime: Runtime, source: Source, questions: Sequence[Picked],
                          answers: Sequence[SourceAnswer]) -> None:
    """Take what came now; whatever the source left out it answers later: those wait on it, visibly."""
    async with runtime.database.transaction() as tx:
        await tx.lock_cases(*{question.case_id for question in questions})
        asked = {question.query_id for question in questions}
        given = {answer.query_id: _given(source, answer, tx) for answer in answers if answer.query_id in asked}
        await tx.session.execute(
            update(Query).where(_under_way(questions))
            .values(state=QueryState.ASKED, asked_at=tx.clock.now, reason=None)
        )
        await take_answers(tx, source, given)


def _given(source: Source, answer: SourceAnswer, tx: Transaction) -> Given:
    wrong = check_answer(source, answer, tx.clock.now)
    if wrong:
        # Asking again would bring the same answer; an officer sees it and takes it up with the source.
        return no_answer(answer.query_id, f"answer_not_valid: {wrong[0].field}")
    return Given(answer)


async def _record_failure(runtime: Runtime, source: Source, questions: Sequence[Picked],
                          failed: SourceFailed) -> None:
    """Try again a little later, at most three times in all; then it is an answer of its own: none."""
    given_up = [question for question in questions
                if not failed.passes or question.attempts_count >= ATTEMPTS_MAX]
    again = [question for question in questions if question not in given_up]
    async with runtime.database.transaction() as tx:
        await tx.lock_cases(*{question.case_id for question in questions})
        for attempts_count, longest_seconds in enumerate(PAUSE_SECONDS, start=1):
            pause = func.make_interval(0, 0, 0, 0, 0, 0, longest_seconds * (0.5 + func.random() / 2))
            await tx.session.execute(
                update(Query).where(_under_way([q for q in again if q.attempts_count == attempts_count]))
                .values(state=QueryState.DUE, reason=failed.reason, ask_from=func.clock_timestamp() + pause)
            )
        await take_answers(tx, source, {question.query_id: no_answer(question.query_id, failed.reason)
                                        for question in given_up})


def _under_way(questions: Sequence[Picked]) -> ColumnElement[bool]:
    """Of these, the ones still under way: meanwhile some may have been cancelled or answered."""
    query_ids = [question.query_id for question in questions]
    return and_(col(Query.query_id).in_(query_ids), col(Query.state) == QueryState.ASKING)
