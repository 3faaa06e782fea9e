"""What a consumer does with records: once per event, in order per case, poison isolated, nothing lost."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import structlog
from structlog.contextvars import bound_contextvars

from contracts import catalogue
from contracts.envelope import EventEnvelope
from services.runtime import dead_letters, inbox, kept_events
from services.runtime.database import DatabaseUnavailable, Transaction
from services.runtime.dead_letter_limit import DeadLetterLimit
from services.runtime.dead_letters import WaitsBehind
from services.runtime.kept_events import KeptEvent
from services.runtime.problems import PermanentError, error_trace
from services.runtime.records import Record, StoredRecord, Unreadable, read, read_event

if TYPE_CHECKING:
    from services.runtime.context import Runtime

log = structlog.get_logger(__name__)

Readable = tuple[Record, EventEnvelope[Any]]
Handler = Callable[[Transaction, list[EventEnvelope[Any]]], Awaitable[None]]

ATTEMPTS: Final = 4
"""The first try and three more, for failures that may pass; permanent ones are tried once."""
RETRY_SECONDS: Final = 0.05
"""The first pause (machine time); each further one doubles, all jittered."""


def waves(events: Iterable[EventEnvelope[Any]]) -> list[dict[str, list[EventEnvelope[Any]]]]:
    """Cut a batch so that each wave holds at most one event of a case, grouped by type, in order per case."""
    cut: list[dict[str, list[EventEnvelope[Any]]]] = []
    depth: dict[object, int] = {}
    for event in events:
        case_id = event.subject.case_id
        number = depth.get(case_id, 0)
        depth[case_id] = number + 1
        if number == len(cut):
            cut.append({})
        cut[number].setdefault(event.type, []).append(event)
    return cut


class Handling:
    """Hands events to the handlers of one service, each in a transaction with its inbox row."""

    def __init__(self, runtime: Runtime, handlers: Mapping[str, Sequence[Handler]], limit: DeadLetterLimit) -> None:
        self._runtime = runtime
        self._database = runtime.database
        self._schema = runtime.database.service
        self._handlers = handlers
        self._limit = limit

    async def batch(self, records: Sequence[Record]) -> None:
        """Handle a batch in one transaction; if that fails, record by record.

        Raises DatabaseUnavailable (nothing was decided, redeliver), or TooManyDeadLetters.
        """
        readable, unreadable = self._read_all(records)
        if not readable and not unreadable:
            return
        if not self._limit.allows(len(unreadable)):
            await self._one_by_one(records)
            return
        try:
            async with self._database.transaction() as tx:
                parked = [(record, error) for record, error in unreadable if await dead_letters.park(tx, record, error)]
                handled = await self._handle_in_order(tx, readable)
        except DatabaseUnavailable:
            raise
        except Exception as error:
            log.warning("batch.failed", records=len(records), **error_trace(error))
            await self._one_by_one(records)
            return
        self._count(handled, parked)

    async def handle(
        self, tx: Transaction, events: Sequence[EventEnvelope[Any]], *, release_kept: bool = True
    ) -> int:
        """Handle what nobody has handled yet, in an open transaction; how many that were.

        With `release_kept` events kept for a cause in this batch follow it in the same transaction; without,
        the commit marks them as due.
        """
        if not events:
            return 0
        case_ids = {event.subject.case_id for event in events}
        await tx.lock_cases(*case_ids)
        unique = {event.id: event for event in events}
        fresh = await inbox.claim(tx.driver, self._schema, unique.keys())
        if fresh and release_kept:
            # Hazard: what became due over HTTP, or before a crash, is older than this batch and must not be overtaken.
            due = await kept_events.take_due(tx.driver, self._schema, case_ids)
            await self._dispatch(tx, [_event_of(kept) for kept in due], True)
        await self._dispatch(tx, [event for event in unique.values() if event.id in fresh], release_kept)
        return len(fresh)

    async def handle_again(self, tx: Transaction, record: Record) -> None:
        """Handle one parked record in an open transaction; what was kept for it is due with its commit.

        A type this service has come to know and does not handle is nothing to do. Raises Unreadable or what the
        handler raises.
        """
        event = read(record, self._handlers)
        if event is not None:
            await self.handle(tx, [event], release_kept=False)

    async def release_due(self) -> int:
        """Handle kept events whose cause has come, each in its own transaction; how many were released."""
        released = 0
        while True:
            async with self._database.transaction() as tx:
                found = await kept_events.due(tx.driver, self._schema)
            for kept in found:
                released += await self._release(kept)
            if len(found) < kept_events.ROWS_PER_ROUND:
                return released

    async def due_count(self) -> int:
        """How many kept events could be released now."""
        async with self._database.transaction() as tx:
            return await kept_events.due_count(tx.driver, self._schema)

    async def _handle_in_order(
        self, tx: Transaction, readable: Sequence[Readable], *, release_kept: bool = True
    ) -> int:
        """Handle records in an open transaction; park those that come after a parked one of their case and topic."""
        await tx.lock_cases(*{event.case_id for _, event in readable})
        behind = await dead_letters.behind_parked(tx, readable)
        for place in sorted(behind):
            record, event = readable[place]
            await dead_letters.park(tx, record, WaitsBehind())
            log.info("record.waits_behind", case_id=str(event.case_id), **_origin(record))
        free = [event for place, (_, event) in enumerate(readable) if place not in behind]
        return await self.handle(tx, free, release_kept=release_kept)

    async def _dispatch(self, tx: Transaction, events: Sequence[EventEnvelope[Any]], release_kept: bool) -> None:
        for wave in waves(events):
            tx.causes = {event.subject.case_id: event for group in wave.values() for event in group}
            for event_type, group in wave.items():
                with bound_contextvars(**_context(group)):
                    for handler in self._handlers[event_type]:
                        await handler(tx, group)
            if release_kept:
                await self._release_in(tx)
        tx.causes = {}

    async def _release_in(self, tx: Transaction) -> None:
        # Before the next wave: a kept event is older than what the batch still holds for its case.
        stored, own = await tx.kept.take(tx.driver, self._schema)
        if stored or own:
            await tx.lock_cases(*(kept.case_id for kept in stored))
            await self._dispatch(tx, [*map(_event_of, stored), *own], True)

    def _read_all(self, records: Sequence[Record]) -> tuple[list[Readable], list[tuple[Record, Unreadable]]]:
        readable: list[Readable] = []
        unreadable: list[tuple[Record, Unreadable]] = []
        for record in records:
            try:
                event = read(record, self._handlers)
            except Unreadable as error:
                unreadable.append((record, error))
            else:
                if event is not None:
                    readable.append((record, event))
        return readable, unreadable

    async def _one_by_one(self, records: Sequence[Record]) -> None:
        await self.release_due()
        for record in records:
            try:
                event = read(record, self._handlers)
            except Unreadable as error:
                await self._park(record, error, attempts=1)
                continue
            if event is None:
                continue
            readable = [(record, event)]
            handled, failure, attempts = await self._attempt(
                lambda tx, readable=readable: self._handle_in_order(tx, readable, release_kept=False)
            )
            if failure is not None:
                await self._park(record, failure, attempts=attempts)
                continue
            self._count(handled, [])
            # Before the next record, so that order per case holds here too.
            await self.release_due()

    async def _release(self, kept: KeptEvent) -> int:
        async def release(tx: Transaction) -> int:
            await tx.lock_cases(kept.case_id)
            if not await kept_events.remove(tx.driver, self._schema, kept.event_id):
                return 0
            first = await dead_letters.first_of_case(tx, _topic_of(kept), kept.case_id)
            if first is not None and first.offset is None:
                raise WaitsBehind
            await self._dispatch(tx, [_event_of(kept)], True)
            return 1

        released, failure, attempts = await self._attempt(release)
        if failure is not None:
            await self._park_kept(kept, failure, attempts)
        self._runtime.count_handled(released)
        return released

    async def _attempt(
        self, work: Callable[[Transaction], Awaitable[int]]
    ) -> tuple[int, Exception | None, int]:
        """Run the work in a transaction, again while its failure may pass: result, last failure, attempts."""
        failure: Exception | None = None
        for attempt in range(1, ATTEMPTS + 1):
            try:
                async with self._database.transaction() as tx:
                    return await work(tx), None, attempt
            except DatabaseUnavailable:
                raise
            except PermanentError as error:
                return 0, error, attempt
            except Exception as error:
                failure = error
            if attempt < ATTEMPTS:
                await asyncio.sleep(RETRY_SECONDS * 2**attempt * random.uniform(0.5, 1.0))
        return 0, failure, ATTEMPTS

    async def _park(self, record: Record, error: Exception, *, attempts: int) -> None:
        self._limit.check(self._schema)
        async with self._database.transaction() as tx:
            new = await dead_letters.park(tx, record, error, attempts=attempts)
        self._count(0, [(record, error)] if new else [])

    async def _park_kept(self, kept: KeptEvent, error: Exception, attempts: int) -> None:
        self._limit.check(self._schema)
        record = StoredRecord(
            _topic_of(kept), None, None, str(kept.case_id).encode(),
            [(name, value.encode()) for name, value in kept.headers.items()], kept.value,
        )
        async with self._database.transaction() as tx:
            await tx.lock_cases(kept.case_id)
            parked = await kept_events.remove(tx.driver, self._schema, kept.event_id)
            if parked:
                await dead_letters.park(tx, record, error, attempts=attempts)
                # A retry goes through the inbox again.
                await inbox.release(tx.driver, self._schema, kept.event_id)
        self._count(0, [(record, error)] if parked else [])

    def _count(self, handled: int, parked: Sequence[tuple[Record, Exception]]) -> None:
        for record, error in parked:
            code, reason = dead_letters.reason_for(error)
            log.error("record.parked", reason_code=code, reason=reason, **_origin(record))
        self._limit.count(handled=handled, parked=len(parked))
        self._runtime.count_handled(handled)


def _topic_of(kept: KeptEvent) -> str:
    return catalogue.topic_of(kept.headers["ce_type"])


def _origin(record: Record) -> dict[str, str | int | None]:
    return {"topic": record.topic, "partition": record.partition, "offset": record.offset}


def _event_of(kept: KeptEvent) -> EventEnvelope[Any]:
    return read_event(kept.headers, kept.value, kept.headers["ce_type"])


def _context(group: Sequence[EventEnvelope[Any]]) -> dict[str, str | int]:
    if len(group) > 1:
        return {"events": len(group)}
    subject = group[0].subject
    return {"case_id": str(subject.case_id), "correlation_id": str(subject.correlation_id)}
