"""An officer has the questions of a means check asked anew that brought nothing."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from sqlalchemy import and_, func, insert, or_, select
from sqlmodel import col

from contracts.envelope import new_id
from services.runtime.database import Transaction
from services.runtime.problems import Problem
from services.verification.complete_means_checks import TELLS
from services.verification.models import Authorisation, CheckState, MeansCheck, Query, QueryState
from services.verification.start_means_checks import ASK_SOURCES


async def ask_again(tx: Transaction, check: MeansCheck) -> int:
    """Ask again what gave no answer, was refused, or still waits on its source; return how many questions.

    A question that waits is put again under its own id. One that ended is put under a new id, since a source
    answers the same id alike. Raises Problem 409 where nothing can be asked.
    """
    await tx.lock_cases(check.case_id)
    check = (await tx.session.scalars(select(MeansCheck).where(col(MeansCheck.case_id) == check.case_id))).one()
    if check.state not in (CheckState.ASKING, CheckState.COMPLETED):
        raise Problem(409, f"means_check_{check.state}",
                      f"Means check {check.means_check_id}: {check.state}. Everybody has to "
                      "authorise first, a guardian for a child.")
    fruitless = list(await tx.session.scalars(
        select(Query).join(Authorisation, col(Authorisation.authorisation_id) == col(Query.authorisation_id))
        .where(
            col(Query.means_check_id) == check.means_check_id, col(Authorisation.revoked_at).is_(None),
            or_(col(Query.state).in_([QueryState.ASKED, QueryState.WAITING]),
                and_(col(Query.state) == QueryState.ANSWERED, col(Query.kind).not_in(TELLS))),
        )
    ))
    if not fruitless:
        raise Problem(409, "nothing_to_ask", f"Means check {check.means_check_id}: every source has answered.")
    renewed = [query for query in fruitless if query.state == QueryState.ANSWERED]
    for query in fruitless:
        query.state = QueryState.SUPERSEDED if query in renewed else QueryState.DUE
        query.attempts_count = query.tries_count = 0
        query.waiting_since = query.ask_again_at = None
        # It may carry the lease of its first request; the database sets the moment, as for a new question.
        query.ask_from = cast(datetime, func.clock_timestamp())
    check.state = CheckState.ASKING
    await tx.session.flush()
    if renewed:
        await tx.session.execute(insert(Query), [
            {"query_id": new_id(), "means_check_id": query.means_check_id, "case_id": query.case_id,
             "person_id": query.person_id, "source": query.source, "jurisdiction": query.jurisdiction,
             "authorisation_id": query.authorisation_id, "state": QueryState.DUE, "attempts_count": 0}
            for query in renewed
        ])
    tx.nudge(ASK_SOURCES)
    return len(fruitless)
