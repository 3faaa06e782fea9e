"""Parked records handled again, or given up, by an operator; what waited behind them follows in its order."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

import structlog
from pydantic import BaseModel, Field

from services.runtime import dead_letters
from services.runtime.database import DatabaseUnavailable
from services.runtime.dead_letters import WAITS_BEHIND, DeadLetter, DeadLetterNotFound, WaitsBehind, reason_for
from services.runtime.problems import PermanentError

if TYPE_CHECKING:
    from services.runtime.context import Runtime
    from services.runtime.database import Transaction

log = structlog.get_logger(__name__)


class Retried(BaseModel):
    """What came of a retry."""

    handled: list[UUID] = Field(description="The dead letters handled: the one asked for, and what waited behind it.")
    failed: DeadLetter | None = Field(default=None, description="The one behind it that failed; the rest waits on.")


class FailedAgain(PermanentError):
    """A retried record failed once more, and stays parked with the new reason."""


async def retry(runtime: Runtime, letter_id: UUID) -> Retried:
    """Handle a dead letter again as its consumer would, then what waits behind it, each in a transaction of its own.

    Raises DeadLetterNotFound; WaitsBehind where an earlier one of its case is parked; FailedAgain.
    """
    letter = await _handle(runtime, letter_id)
    return await _handle_what_waited(runtime, letter, [letter.id])


async def discard(runtime: Runtime, letter_id: UUID) -> Retried:
    """Give a dead letter up for good: nobody will ever handle it. What waited behind it is handled.

    Raises DeadLetterNotFound.
    """
    async with runtime.database.transaction() as tx:
        letter, _ = await dead_letters.load(tx, letter_id, lock=True)
        await dead_letters.remove(tx, letter_id)
    return await _handle_what_waited(runtime, letter, [])


async def _handle_what_waited(runtime: Runtime, letter: DeadLetter, handled: list[UUID]) -> Retried:
    while (waiting := await _first_waiting(runtime, letter)) is not None:
        try:
            await _handle(runtime, waiting.id)
        except (DeadLetterNotFound, WaitsBehind):
            continue  # somebody else is at the same case: look again
        except FailedAgain:
            return Retried(handled=handled, failed=await _first_of(runtime, waiting))
        handled.append(waiting.id)
    return Retried(handled=handled)


async def _first_waiting(runtime: Runtime, letter: DeadLetter) -> DeadLetter | None:
    """The first letter of the case, if all that was wrong with it is that it had to wait."""
    first = await _first_of(runtime, letter)
    return first if first is not None and first.reason_code == WAITS_BEHIND else None


async def _first_of(runtime: Runtime, letter: DeadLetter) -> DeadLetter | None:
    if letter.case_id is None:
        return None
    async with runtime.database.transaction() as tx:
        return await dead_letters.first_of_case(tx, letter.topic, letter.case_id)


async def _handle(runtime: Runtime, letter_id: UUID) -> DeadLetter:
    consumers = runtime.consumers
    if consumers is None:
        raise PermanentError(f"{runtime.name} consumes nothing; it has nothing to retry.", code="no_consumers")
    try:
        async with runtime.database.transaction() as tx:
            letter, _ = await dead_letters.load(tx, letter_id)
            if letter.case_id is not None:
                await tx.lock_cases(letter.case_id)
            # Again, under the locks: two who retry at once come here one after the other.
            letter, record = await dead_letters.load(tx, letter_id, lock=True)
            await _refuse_unless_first(tx, letter)
            await consumers.handle_again(tx, record)
            await dead_letters.remove(tx, letter_id)
    except (DeadLetterNotFound, WaitsBehind, DatabaseUnavailable):
        raise
    except Exception as error:
        async with runtime.database.transaction() as tx:
            await dead_letters.note_failure(tx, letter_id, error)
        code, reason = reason_for(error)
        raise FailedAgain(f"Dead letter {letter_id} failed again: {reason} ({code}). It is kept.",
                          code="failed_again") from error
    log.info("dead_letter.handled", letter_id=str(letter_id), topic=letter.topic)
    await consumers.release_due()
    return letter


async def _refuse_unless_first(tx: Transaction, letter: DeadLetter) -> None:
    if letter.case_id is None:
        return
    first = await dead_letters.first_of_case(tx, letter.topic, letter.case_id)
    if first is not None and first.id != letter.id:
        raise WaitsBehind(f"Dead letter {letter.id} waits behind {first.id} of its case. Retry or discard that one.")
