"""The loop that asks data sources: questions of many cases gathered into one bulk request per source.

A question under way carries a lease (machine time); if this process dies between asking and recording, the lease
ends and the same question is asked again under the same id, which a source answers alike.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import structlog
from sqlalchemy import and_, func, or_, select, text, update
from sqlmodel import col

from contracts.benefits import Source
from contracts.envelope import new_id
from contracts.http.source import SourceAnswer, SourceQueries, SourceQuery
from contracts.http.vault import Purpose, SealRequest, VaultField
from services.runtime.circuit_breaker import CircuitBreaker, Phase
from services.runtime.database import Transaction
from services.runtime.loops import Loop
from services.runtime.outside_party import BatchRefused, PartyFailed, send_apart
from services.runtime.vault_client import seal_known
from services.verification.models import Query, QueryState
from services.verification.recorded_waits import (
    ENDING,
    Picked,
    end_due_waits,
    next_wait_ends_at,
    put_off,
    record_failure,
    under_way,
    wait,
)
from services.verification.source_client import ask_source, is_connected
from services.verification.source_data import check_answer
from services.verification.start_means_checks import ASK_SOURCES
from services.verification.take_answers import Given, no_answer, one_each, take_answers

if TYPE_CHECKING:
    from services.runtime.process import Runtime

log = structlog.get_logger(__name__)

GATHER_WINDOW_SECONDS: Final = 0.15
GATHERED_ENOUGH: Final = 200
QUERIES_MAX: Final = 1000
"""Of one request, by the contract with the sources."""
SEAL_SECONDS_MAX: Final = 4.0
LEASE_SECONDS: Final = 10
"""Longer than sealing and one request may take together."""
TRIAL_SECONDS: Final = 1.0
"""How long to wait for a trial that is under way."""
ANSWERS_LATER: Final = "answers_later"
LEFT_OUT: Final = "left_out_of_the_answer"

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
    returning query.query_id, query.case_id, query.person_id, query.source, query.attempts_count,
        query.tries_count, letter.number
""")
"""Order between questions does not matter, so two processes may share them by skipping each other's rows."""



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
    """Questions that are due or under way; those that wait on a source for legal time are not."""
    async with runtime.database.transaction() as tx:
        pending = await tx.session.scalar(select(func.count()).select_from(Query).where(or_(
            col(Query.state).in_([QueryState.DUE, QueryState.ASKING]),
            and_(col(Query.state).in_(ENDING), col(Query.ask_again_at) <= tx.clock.now),
        )))
        return pending or 0


LOOP = Loop(ASK_SOURCES, ask_sources, questions_pending, poll_seconds=0.25, next_at=next_wait_ends_at)


async def _gather(runtime: Runtime) -> bool:
    """Wait until the window since the oldest due question is over, or enough have come. False: none is due."""
    while True:
        async with runtime.database.transaction() as tx:
            await end_due_waits(tx)
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
    return [Picked(query_id, case_id, person_id, Source(source), attempts_count, tries_count, number)
            for query_id, case_id, person_id, source, attempts_count, tries_count, number in rows]


async def _ask(runtime: Runtime, source: Source, questions: Sequence[Picked]) -> None:
    """Ask one source, unless it is left in peace just now: then no identifier is opened for it either."""
    if not is_connected(runtime, source):
        await _give_up(runtime, source, questions, "source_not_connected")
        return
    breaker = runtime.breakers.towards(f"source:{source}")
    if breaker.phase is Phase.OPEN:
        async with runtime.database.transaction() as tx:
            await put_off(tx, questions, max(breaker.seconds_until_trial, TRIAL_SECONDS))
        return
    sealed = await _seal(runtime, source, questions)
    askable: list[tuple[Picked, str]] = []
    unknown: list[Picked] = []
    for question, person in zip(questions, sealed, strict=True):
        if person is None:
            unknown.append(question)
        else:
            askable.append((question, person))
    await _give_up(runtime, source, unknown, "identifiers_not_available")
    if askable:
        await _put(runtime, breaker, source, askable)


async def _seal(runtime: Runtime, source: Source, questions: Sequence[Picked]) -> list[str | None]:
    """Each person encrypted to the source; None for one the vault does not know."""
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
        async with runtime.database.transaction() as tx:
            await tx.session.execute(
                update(Query).where(under_way(questions))
                .values(state=QueryState.DUE, attempts_count=col(Query.attempts_count) - 1,
                        ask_from=func.clock_timestamp())
            )
        raise
    return [one.jwe if one else None for one in sealed]


async def _put(runtime: Runtime, breaker: CircuitBreaker, source: Source,
               askable: Sequence[tuple[Picked, str]]) -> None:
    """Put questions to a source, each with the person encrypted to it, and record what comes."""

    async def send(batch: Sequence[tuple[Picked, str]]) -> None:
        async with runtime.database.transaction() as tx:
            legal_time = tx.clock.now
        answers = await ask_source(runtime, source, SourceQueries(
            request_id=new_id(), legal_time=legal_time, queries=[
                SourceQuery(query_id=question.query_id, authorisation_number=question.authorisation_number,
                            person=person)
                for question, person in batch
            ]))
        await _record_answers(runtime, source, [question for question, _ in batch], answers)

    async def set_aside(one: tuple[Picked, str], fault: BatchRefused | PartyFailed) -> None:
        question, _ = one
        log.warning("question.set_aside", source=source, query_id=str(question.query_id), reason=fault.reason)
        if isinstance(fault, BatchRefused):
            await _give_up(runtime, source, [question], fault.reason)
        else:
            await _fail(runtime, source, [question], fault.reason)

    try:
        with breaker.attempt(PartyFailed):
            await send_apart(askable, send, set_aside)
    except PartyFailed as failed:
        log.warning("source.failed", source=source, reason=failed.reason, questions=len(askable))
        await _fail(runtime, source, [question for question, _ in askable], failed.reason)


async def _fail(runtime: Runtime, source: Source, questions: Sequence[Picked], reason: str) -> None:
    async with runtime.database.transaction() as tx:
        await tx.lock_cases(*{question.case_id for question in questions})
        await record_failure(tx, source, questions, reason)


async def _record_answers(runtime: Runtime, source: Source, questions: Sequence[Picked],
                          answers: Sequence[SourceAnswer]) -> None:
    """Take what came now; whatever the source left out it answers later: those wait on it, visibly."""
    each, contradicted = one_each(answers)
    if contradicted:
        log.error("source.contradicts_itself", source=source, questions=len(contradicted))
    left_out = [question for question in questions if question.query_id not in each]
    async with runtime.database.transaction() as tx:
        await tx.lock_cases(*{question.case_id for question in questions})
        given = {query_id: no_answer(query_id, "answers_contradict") if query_id in contradicted
                 else _given(source, answer, tx) for query_id, answer in each.items()}
        await tx.session.execute(
            update(Query).where(under_way([one for one in questions if one.query_id in each]))
            .values(asked_at=tx.clock.now)
        )
        await wait(tx, source, left_out, QueryState.ASKED, LEFT_OUT if each else ANSWERS_LATER)
        await take_answers(tx, source, given)


def _given(source: Source, answer: SourceAnswer, tx: Transaction) -> Given:
    wrong = check_answer(source, answer, tx.clock.now)
    if wrong:
        # Asking again would bring the same answer; an officer sees it and takes it up with the source.
        return no_answer(answer.query_id, f"answer_not_valid: {wrong[0].field}")
    return Given(answer)


async def _give_up(runtime: Runtime, source: Source, questions: Sequence[Picked], reason: str) -> None:
    """Nothing that time could mend: record that there is no answer, and why."""
    if not questions:
        return
    async with runtime.database.transaction() as tx:
        await tx.lock_cases(*{question.case_id for question in questions})
        await take_answers(tx, source, {question.query_id: no_answer(question.query_id, reason)
                                        for question in questions})
