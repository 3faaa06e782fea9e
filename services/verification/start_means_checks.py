"""Authorisations signed and revoked: a means check starts when everybody is covered by one, and stops without them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from contracts.envelope import EventEnvelope, new_id
from contracts.events.authorisation import AuthorisationRevoked, AuthorisationSigned
from contracts.events.means_check import MeansCheckOpened, MeansCheckStarted
from services.runtime.database import Transaction
from services.verification import rules
from services.verification.complete_means_checks import OPEN_STATES, complete_means_checks, subject_of
from services.verification.models import Authorisation, CheckState, MeansCheck, Member, Query, QueryState

ASK_SOURCES = "ask_sources"
STANDING_STATES = (*OPEN_STATES, QueryState.ANSWERED)


@dataclass
class Household:
    """Who lives there, who has signed, and what was asked already."""

    adults: list[UUID] = field(default_factory=list[UUID])
    children: list[UUID] = field(default_factory=list[UUID])
    letters: list[rules.Letter] = field(default_factory=list[rules.Letter])
    asked: set[tuple[UUID, str]] = field(default_factory=set[tuple[UUID, str]])

    def awaited_for(self, check: MeansCheck) -> list[UUID]:
        """Who has yet to sign, or for whom a guardian has, before this check asks anything."""
        to_cover = dict.fromkeys(self.adults, check.sources) | dict.fromkeys(self.children, check.child_sources)
        return rules.awaiting(to_cover, self.letters)


async def keep_authorisations(tx: Transaction, signed: Sequence[EventEnvelope[AuthorisationSigned]]) -> None:
    """Keep letters, also those of a case that is not known here yet, and start the checks that waited for them."""
    await tx.session.execute(insert(Authorisation).on_conflict_do_nothing(), [
        {"authorisation_id": letter.data.authorisation_id, "case_id": letter.case_id,
         "person_id": letter.data.person_id, "jurisdiction": letter.subject.jurisdiction,
         "number": letter.data.number, "scope": [str(source) for source in letter.data.scope],
         "signed_at": letter.data.signed_at}
        for letter in signed
    ])
    await start_means_checks(tx, [letter.case_id for letter in signed])


async def revoke_authorisations(tx: Transaction, revoked: Sequence[EventEnvelope[AuthorisationRevoked]]) -> None:
    """From now on nothing is asked of these households: what is open is cancelled, until all sign again."""
    for letter in revoked:
        await tx.session.execute(
            update(Authorisation).where(col(Authorisation.authorisation_id) == letter.data.authorisation_id)
            .values(revoked_at=letter.data.revoked_at)
        )
    case_ids = [letter.case_id for letter in revoked]
    await cancel_questions(tx, case_ids)
    stopped = await tx.session.scalars(
        update(MeansCheck)
        .where(col(MeansCheck.case_id).in_(case_ids), col(MeansCheck.state) == CheckState.ASKING)
        .values(state=CheckState.AWAITING_AUTHORISATION).returning(col(MeansCheck.case_id))
    )
    await report_opened(tx, list(stopped))
    await start_means_checks(tx, case_ids)


async def cancel_questions(tx: Transaction, case_ids: Collection[UUID]) -> None:
    """Ask nothing more in these cases; an answer that still comes is not taken."""
    await tx.session.execute(
        update(Query).where(col(Query.case_id).in_(case_ids), col(Query.state).in_(OPEN_STATES))
        .values(state=QueryState.CANCELLED)
    )


async def start_means_checks(tx: Transaction, case_ids: Collection[UUID]) -> None:
    """Ask whatever may be asked now in these cases. Does nothing where somebody has yet to authorise."""
    checks = list(await tx.session.scalars(
        select(MeansCheck).where(col(MeansCheck.case_id).in_(case_ids), col(MeansCheck.state) != CheckState.STOPPED)
        .execution_options(populate_existing=True)
    ))
    households = await _households(tx, [check.case_id for check in checks])
    rows: list[dict[str, object]] = []
    nothing_to_ask: list[UUID] = []
    for check in checks:
        household = households[check.case_id]
        if household.awaited_for(check):
            continue
        questions = [
            question for question in rules.questions([*household.adults, *household.children], household.letters,
                                                     check.sources)
            if (question.person_id, question.source) not in household.asked
        ]
        if questions:
            rows += [_row(check, question) for question in questions]
            event = MeansCheckStarted(means_check_id=check.means_check_id,
                                      sources=list(dict.fromkeys(question.source for question in questions)))
            tx.record(event, subject_of(check))
        elif check.state == CheckState.AWAITING_AUTHORISATION:
            nothing_to_ask.append(check.case_id)
        if questions or check.state == CheckState.AWAITING_AUTHORISATION:
            check.state = CheckState.ASKING
            check.started_at = check.started_at or tx.clock.now
    await tx.session.flush()
    if rows:
        await tx.session.execute(insert(Query), rows)
        tx.nudge(ASK_SOURCES)
    await complete_means_checks(tx, nothing_to_ask)


async def report_opened(tx: Transaction, case_ids: Collection[UUID]) -> None:
    """Say that the checks of these cases are open, and for whose authorisation they wait."""
    if not case_ids:
        return
    checks = await tx.session.scalars(select(MeansCheck).where(col(MeansCheck.case_id).in_(case_ids)))
    households = await _households(tx, case_ids)
    for check in checks:
        awaiting = households[check.case_id].awaited_for(check)
        event = MeansCheckOpened(means_check_id=check.means_check_id, awaiting_person_ids=awaiting)
        tx.record(event, subject_of(check))


def _row(check: MeansCheck, question: rules.Question) -> dict[str, object]:
    return {
        "query_id": new_id(), "means_check_id": check.means_check_id, "case_id": check.case_id,
        "person_id": question.person_id, "source": question.source, "jurisdiction": check.jurisdiction,
        "authorisation_id": question.authorisation_id, "state": QueryState.DUE, "attempts_count": 0,
    }


async def _households(tx: Transaction, case_ids: Iterable[UUID]) -> dict[UUID, Household]:
    households = {case_id: Household() for case_id in case_ids}
    for member in await tx.session.scalars(select(Member).where(col(Member.case_id).in_(households))):
        household = households[member.case_id]
        (household.adults if member.is_adult else household.children).append(member.person_id)
    letters = await tx.session.scalars(select(Authorisation).where(
        col(Authorisation.case_id).in_(households), col(Authorisation.revoked_at).is_(None)))
    for letter in letters:
        households[letter.case_id].letters.append(
            rules.Letter(letter.authorisation_id, letter.person_id, frozenset(letter.scope)))
    asked = select(col(Query.case_id), col(Query.person_id), col(Query.source)).where(
        col(Query.case_id).in_(households), col(Query.state).in_(STANDING_STATES))
    for case_id, person_id, source in await tx.session.execute(asked):
        households[case_id].asked.add((person_id, source))
    return households
