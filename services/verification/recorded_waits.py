"""Recorded waits: questions whose source fails or answers later, and when each is asked again.

A wait ends at a moment of legal time and survives every restart; it does not hinder the clock's leaps. Pauses of
seconds between the first attempts, and the rest a failing source is given, are machine time and do hinder them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, func, or_, select, text, update
from sqlmodel import col

from contracts.benefits import Source
from contracts.http.waits import Wait
from services.runtime.database import Transaction
from services.verification import rules
from services.verification.models import Query, QueryState
from services.verification.take_answers import no_answer, take_answers

if TYPE_CHECKING:
    from services.runtime.process import Runtime

ATTEMPTS_MAX: Final = 3
PAUSE_SECONDS: Final = (0.3, 1.0)
"""Longest pause before the second and the third attempt; jittered, so that many processes do not knock at once."""
CIRCUIT_OPEN: Final = "circuit_open"
ENDING: Final = (QueryState.ASKED, QueryState.WAITING)
"""States that end at `ask_again_at`."""


@dataclass(frozen=True)
class Picked:
    """A question this process is about to ask. Its attempt is the fence: whoever picks it later has a higher one."""

    query_id: UUID
    case_id: UUID
    person_id: UUID
    source: Source
    attempts_count: int
    tries_count: int
    authorisation_number: str


def under_way(questions: Sequence[Picked]) -> ColumnElement[bool]:
    """Of these, the ones this very attempt still has under way.

    Meanwhile some may have been cancelled or answered, or the lease ended and another process asks them.
    """
    by_attempt: dict[int, list[UUID]] = {}
    for question in questions:
        by_attempt.setdefault(question.attempts_count, []).append(question.query_id)
    return and_(col(Query.state) == QueryState.ASKING, or_(false(), *(
        and_(col(Query.query_id).in_(query_ids), col(Query.attempts_count) == attempts_count)
        for attempts_count, query_ids in by_attempt.items())))


async def end_due_waits(tx: Transaction) -> None:
    """Make due what is to be asked again by now: one attempt each, for the bound of quick ones is spent."""
    # A row somebody else is just writing is passed over: it is looked at again in a moment.
    ended = (
        select(col(Query.query_id)).where(col(Query.state).in_(ENDING), col(Query.ask_again_at) <= tx.clock.now)
        .with_for_update(skip_locked=True)
    )
    await tx.session.execute(
        update(Query).where(col(Query.query_id).in_(ended))
        .values(state=QueryState.DUE, ask_from=func.clock_timestamp(), attempts_count=ATTEMPTS_MAX - 1)
        .execution_options(synchronize_session=False)
    )


async def put_off(tx: Transaction, questions: Sequence[Picked], seconds: float) -> None:
    """The source is left in peace: nothing was asked, so it counts as no attempt."""
    await tx.lock_cases(*{question.case_id for question in questions})
    await tx.session.execute(
        update(Query).where(under_way(questions)).values(
            state=QueryState.DUE, reason=func.coalesce(col(Query.reason), CIRCUIT_OPEN),
            attempts_count=col(Query.attempts_count) - 1,
            waiting_since=func.coalesce(col(Query.waiting_since), tx.clock.now),
            ask_from=func.clock_timestamp() + func.make_interval(0, 0, 0, 0, 0, 0, seconds),
        )
    )


async def record_failure(tx: Transaction, source: Source, questions: Sequence[Picked], reason: str) -> None:
    """Try again a little later, at most three times in all; then wait; and in the end that is an answer: none."""
    for attempts_count, longest_seconds in enumerate(PAUSE_SECONDS, start=1):
        pause = func.make_interval(0, 0, 0, 0, 0, 0, longest_seconds * (0.5 + func.random() / 2))
        await tx.session.execute(
            update(Query).where(under_way([one for one in questions if one.attempts_count == attempts_count]))
            .values(state=QueryState.DUE, reason=reason, ask_from=func.clock_timestamp() + pause,
                    waiting_since=func.coalesce(col(Query.waiting_since), tx.clock.now))
        )
    spent = [question for question in questions if question.attempts_count >= ATTEMPTS_MAX]
    await wait(tx, source, spent, QueryState.WAITING, reason)


async def wait(tx: Transaction, source: Source, questions: Sequence[Picked], state: QueryState, reason: str) -> None:
    """Record when these are asked again; the ones that waited often enough have no answer."""
    given_up: list[Picked] = []
    for tries_count, group in groupby(sorted(questions, key=_tries), key=_tries):
        waiting = list(group)
        pause = rules.ask_again_after(tries_count, promised=state is QueryState.ASKED)
        if pause is None:
            given_up += waiting
            continue
        values = {"asked_at": tx.clock.now} if state is QueryState.ASKED else {}
        await tx.session.execute(
            update(Query).where(under_way(waiting)).values(
                state=state, reason=reason, tries_count=tries_count + 1, ask_again_at=tx.clock.now + pause,
                waiting_since=func.coalesce(col(Query.waiting_since), tx.clock.now), **values)
        )
    if not given_up:
        return
    still_ours = set(await tx.session.scalars(select(col(Query.query_id)).where(under_way(given_up))))
    await take_answers(tx, source, {query_id: no_answer(query_id, reason) for query_id in still_ours})


def _tries(question: Picked) -> int:
    return question.tries_count


async def next_wait_ends_at(runtime: Runtime) -> datetime | None:
    """The next legal moment at which something is asked again."""
    async with runtime.database.transaction() as tx:
        return await tx.session.scalar(select(func.min(col(Query.ask_again_at))).where(col(Query.state).in_(ENDING)))


WAITS: Final = text("""
    select 'source:' || source, reason, min(waiting_since), count(distinct case_id),
           min(case when state in ('asked', 'waiting') then ask_again_at else ask_from + :offset end)
    from verification.queries
    where waiting_since is not null and state in ('due', 'asking', 'asked', 'waiting')
    group by source, reason order by 1, 2
""")


async def view_waits(tx: Transaction) -> list[Wait]:
    """What waits, by source and reason, as far as the transaction's jurisdiction may see it."""
    rows = await tx.session.execute(WAITS, {"offset": tx.clock.offset})
    return [Wait(party=party, reason=reason or "", since=since, next_try_at=next_try_at, cases_count=cases_count)
            for party, reason, since, cases_count, next_try_at in rows]
