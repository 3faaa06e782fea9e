"""The consumer of a service: one batch subscriber over the topics of the event types it registered for."""

# aiokafka carries no types.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeVar, cast

import structlog
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError
from faststream import AckPolicy
from faststream.exceptions import NackMessage
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaAckableMessage

from contracts import catalogue
from contracts.envelope import Event, EventEnvelope
from services.runtime import kept_events
from services.runtime.database import DatabaseUnavailable, Transaction
from services.runtime.dead_letter_limit import PARKED_AT_MOST, DeadLetterLimit, TooManyDeadLetters
from services.runtime.handling import Handler, Handling
from services.runtime.kafka_connection import client_lives
from services.runtime.loops import Loop, backoff_seconds
from services.runtime.problems import error_trace
from services.runtime.records import Record
from services.runtime.settings import RuntimeSettings

if TYPE_CHECKING:
    from faststream.kafka.subscriber.usecase import BatchSubscriber

    from services.runtime.context import Runtime

log = structlog.get_logger(__name__)

EventT = TypeVar("EventT", bound=Event)
HandlerOf = Callable[[Transaction, list[EventEnvelope[EventT]]], Awaitable[None]]
Records = tuple[ConsumerRecord[bytes, bytes], ...]

MAX_RECORDS: Final = 500
POLL_MS: Final = 10 * 365 * 24 * 3_600_000
"""Ten years: a poll ends with the first record, a stop or an error, and never comes back empty.

Hazard: after an empty poll FastStream sleeps as long again, whatever arrives meanwhile. Short polls make a quiet
topic's event wait, and a hundred of them a second cost more than all else an idle service does.
"""
FETCH_WAIT_MS: Final = 100
"""The longest a fetch waits at the broker."""
GATHERED_BYTES: Final = 64 * 1024
"""What the broker gathers within that time for a consumer nobody waits for."""
SESSION_MS: Final = 6_000
"""A killed process's partitions go to another after this long; the broker allows no less by default."""
BETWEEN_POLLS_MS: Final = 600_000
STOP_SECONDS: Final = 8.0
LAG_SECONDS: Final = 2.0
KEPT_POLL_SECONDS: Final = 1.0

# Hazard: FastStream's default commits before handling (at most once), and ACK commits failed batches too.
# A nack alone would be a hot loop; Handling bounds retries and parks, and a batch that still raises is paused.
ACK_POLICY: Final = AckPolicy.NACK_ON_ERROR


class _Batch(KafkaAckableMessage):
    """A batch whose nack rewinds every partition we still hold."""

    async def nack(self) -> None:
        earliest: dict[TopicPartition, int] = {}
        for record in cast(Records, self.raw_message):
            partition = TopicPartition(record.topic, record.partition)
            earliest[partition] = min(record.offset, earliest.get(partition, record.offset))
        for partition, offset in earliest.items():
            try:
                self.consumer.seek(partition, offset)
            except IllegalStateError:
                # Hazard: raising here, for a partition that went to another, would leave the next ones
                # unrewound and the next commit would lose their records.
                log.info("batch.partition_gone", topic=partition.topic, partition=partition.partition)
        self.committed = None


class Consumers:
    """The event types one service handles, and the consumer that brings them."""

    def __init__(
        self, service: str, *, gathers: bool = False, dead_letters_at_most: int = PARKED_AT_MOST
    ) -> None:
        """`gathers`: nobody waits for what this service does with an event, so it takes those of up to
        FETCH_WAIT_MS together. Each batch is a transaction, whose cost is then shared and kept off the hot path.
        """
        self.service = service
        self._fetch_min_bytes = GATHERED_BYTES if gathers else 1
        self.halted_because: str | None = None
        """Why it consumes no more until `resume`, and what to do; None while it consumes."""
        self._dead_letters_at_most = dead_letters_at_most
        self._handlers: dict[str, list[Handler]] = {}
        self._handling: Handling | None = None
        self._broker: KafkaBroker | None = None
        self._subscriber: BatchSubscriber | None = None
        self._starting: asyncio.Task[None] | None = None
        self._halting: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._in_hand = 0
        self._failures = 0

    def on(self, event: type[EventT]) -> Callable[[HandlerOf[EventT]], HandlerOf[EventT]]:
        """Register a handler for an event type.

        It gets a batch with at most one event per case, the cases locked and the inbox checked; it runs in the
        transaction given and raises PermanentError for what no retry can mend.
        """

        def register(handler: HandlerOf[EventT]) -> HandlerOf[EventT]:
            self._handlers.setdefault(event.TYPE, []).append(cast(Handler, handler))
            return handler

        return register

    async def start(self, runtime: Runtime) -> None:
        """Join the group; returns at once and keeps trying in the background while Kafka is away."""
        settings = runtime.settings
        if not isinstance(settings, RuntimeSettings):
            raise TypeError(f"{self.service} consumes events: its settings must be RuntimeSettings.")
        self._handling = Handling(runtime, self._handlers, DeadLetterLimit(self._dead_letters_at_most))
        self._stopping.clear()
        self._start_joining(settings.kafka_bootstrap)

    async def resume(self, runtime: Runtime, *, park_at_most: int) -> None:
        """Consume again after a halt, and halt again once so many more records were parked.

        What was parked before the halt stays parked; nothing was passed over.
        """
        if self._halting is not None:
            await self._halting
        self._handling = Handling(runtime, self._handlers, DeadLetterLimit(park_at_most))
        if self.halted_because is not None:
            self.halted_because = None
            log.warning("consumer.resumed", park_at_most=park_at_most)
            self._start_joining(cast(RuntimeSettings, runtime.settings).kafka_bootstrap)

    async def stop(self) -> None:
        """Finish the batch under way, commit it, leave the group."""
        self._stopping.set()
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        if self._halting is not None:
            await self._halting
        await self._leave()

    @property
    def alive(self) -> bool:
        """Whether records can arrive: the task runs and partitions are assigned."""
        subscriber = self._subscriber
        if self.halted_because is not None or subscriber is None or subscriber.consumer is None:
            return False
        runs = any(not task.done() for task in subscriber.tasks) and client_lives(subscriber.consumer)
        return runs and bool(subscriber.consumer.assignment())

    async def lag(self) -> int | None:
        """Records not yet handled, those in hand included; None while that is unknown."""
        subscriber = self._subscriber
        consumer = subscriber.consumer if subscriber is not None else None
        if consumer is None or not (partitions := consumer.assignment()):
            return None
        in_hand = self._in_hand
        try:
            async with asyncio.timeout(LAG_SECONDS):
                ends = await consumer.end_offsets(partitions)
                positions = [(ends[partition], await consumer.position(partition)) for partition in partitions]
        except Exception as error:
            log.info("lag.unknown", **error_trace(error))
            return None
        # In hand before or after asking: a batch taken meanwhile has moved the position already.
        return max(in_hand, self._in_hand) + sum(max(0, end - position) for end, position in positions)

    def loop(self) -> Loop:
        """The loop that handles kept events whose cause came over HTTP."""

        async def work(_runtime: Runtime) -> int:
            # What was released is counted where it is handled; 0 lets the loop wait for its next nudge.
            if self.halted_because is None:
                await self.release_due()
            return 0

        async def pending(_runtime: Runtime) -> int:
            return await self._handling.due_count() if self._handling is not None else 0

        return Loop(kept_events.LOOP, work, pending, poll_seconds=KEPT_POLL_SECONDS)

    async def handle_again(self, tx: Transaction, record: Record) -> None:
        """Handle one parked record in an open transaction. Raises what makes it fail."""
        handling = self._handling or Handling(tx.runtime, self._handlers, DeadLetterLimit(self._dead_letters_at_most))
        await handling.handle_again(tx, record)

    async def release_due(self) -> None:
        """Handle kept events whose cause has come."""
        if self._handling is None:
            return
        try:
            await self._handling.release_due()
        except TooManyDeadLetters as error:
            self._halt(str(error))

    async def _join(self, bootstrap: str) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                await self._connect(bootstrap)
                return
            except Exception as error:
                failures += 1
                log.warning("consumer.cannot_join", failures=failures, **error_trace(error))
                await self._leave()
                await self._pause(backoff_seconds(failures))

    async def _connect(self, bootstrap: str) -> None:
        topics = sorted({catalogue.topic_of(event_type) for event_type in self._handlers})
        self._broker = KafkaBroker(
            bootstrap, ack_policy=ACK_POLICY, consumer_only=True, apply_types=False, logger=None,
            graceful_timeout=STOP_SECONDS, client_id=self.service,
        )
        self._subscriber = subscriber = self._broker.subscriber(
            *topics,
            batch=True,
            group_id=self.service,
            auto_offset_reset="earliest",
            batch_timeout_ms=POLL_MS,
            max_records=MAX_RECORDS,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            fetch_min_bytes=self._fetch_min_bytes,
            session_timeout_ms=SESSION_MS,
            heartbeat_interval_ms=SESSION_MS // 3,
            max_poll_interval_ms=BETWEEN_POLLS_MS,
            no_reply=True,
            parser=self._parse,
            decoder=_records_of,
        )
        subscriber(self._on_batch)
        await self._broker.start()

    async def _leave(self) -> None:
        broker, self._broker, self._subscriber = self._broker, None, None
        if broker is not None:
            await broker.stop()

    async def _parse(self, records: Records) -> _Batch:
        # Hazard: FastStream's own parser decodes every header, raises on one that is not UTF-8, cannot nack
        # such a batch, and commits past it with the next one. Here nothing is decoded, so nothing can fail.
        consumer = self._subscriber.consumer if self._subscriber is not None else None
        return _Batch(body=b"", raw_message=records, consumer=consumer)

    async def _on_batch(self, records: Records) -> None:
        assert self._handling is not None
        self._in_hand = len(records)
        try:
            await self._handling.batch(records)
            self._failures = 0
        except TooManyDeadLetters as error:
            self._halt(str(error))
            raise NackMessage from None
        except Exception as error:
            self._failures += 1
            unavailable = isinstance(error, DatabaseUnavailable)
            log.warning("batch.redelivered", failures=self._failures, database_unavailable=unavailable,
                        **error_trace(error))
            await self._pause(backoff_seconds(self._failures))
            raise
        finally:
            self._in_hand = 0

    def _start_joining(self, bootstrap: str) -> None:
        self._starting = asyncio.create_task(self._join(bootstrap), name=f"consumer {self.service} joins")

    def _halt(self, reason: str) -> None:
        if self.halted_because is not None:
            return
        self.halted_because = reason
        log.critical("consumer.halted", reason=reason)
        # In a task of its own: leaving waits for the batch that is calling here.
        self._halting = asyncio.create_task(self._leave(), name=f"consumer {self.service} halts")

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)


async def _records_of(message: _Batch) -> Records:
    return cast(Records, message.raw_message)
