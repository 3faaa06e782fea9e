"""Reads every relief topic from outside, as a subscriber would, and keeps what concerns each case."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from contracts.catalogue import DEPARTMENT_ELECTRICITY, TOPICS
from deploy.sandbox.player.record import SeenEvent

log = structlog.get_logger()

CATCH_UP_POLL_SECONDS = 0.05
CATCH_UP_POLLS = 200


class Watcher:
    """Follows all topics from the beginning; forgets nothing while the process lives."""

    def __init__(self, bootstrap: str, on_event: Callable[[SeenEvent], None]) -> None:
        self._bootstrap = bootstrap
        self._on_event = on_event
        self._by_id: dict[str, SeenEvent] = {}
        self._by_case: dict[UUID, list[SeenEvent]] = defaultdict(list)
        self.unread = 1
        self.read = 0
        self._rounds_begun = 0
        self._caught_up_in = 0
        """The last round at whose end nothing was left to read."""

    def events_of(self, case_ids: list[UUID]) -> list[SeenEvent]:
        """All events of these cases, by legal time."""
        events = [event for case_id in case_ids for event in self._by_case[case_id]]
        return sorted(events, key=lambda event: event.time)

    async def caught_up(self) -> bool:
        """Whether everything was read that was there when this was asked; False where Kafka does not tell soon.

        Hazard: `unread` is as old as the last round, and while Kafka is away a round takes its time.
        """
        wanted = self._rounds_begun + 1
        for _ in range(CATCH_UP_POLLS):
            if self._caught_up_in >= wanted:
                return True
            await asyncio.sleep(CATCH_UP_POLL_SECONDS)
        return False

    async def watch(self) -> None:
        """Read for ever; where Kafka is down, begin again."""
        while True:
            try:
                await self._watch_once()
            except (KafkaError, OSError) as error:
                self.unread = 1
                log.warning("player.kafka_down", error=type(error).__name__)
                await asyncio.sleep(1)

    async def _watch_once(self) -> None:
        consumer = AIOKafkaConsumer(bootstrap_servers=self._bootstrap, enable_auto_commit=False,
                                    auto_offset_reset="earliest")
        await consumer.start()
        try:
            partitions = [TopicPartition(topic.name, number) for topic in TOPICS
                          if topic is not DEPARTMENT_ELECTRICITY for number in range(topic.partitions)]
            consumer.assign(partitions)
            await consumer.seek_to_beginning()
            while True:
                self._rounds_begun += 1
                for records in (await consumer.getmany(timeout_ms=50)).values():
                    for record in records:
                        self._note(record)
                ends = await consumer.end_offsets(partitions)
                positions = [await consumer.position(partition) for partition in partitions]
                self.unread = sum(ends.values()) - sum(positions)
                if not self.unread:
                    self._caught_up_in = self._rounds_begun
        finally:
            await consumer.stop()

    def _note(self, record: ConsumerRecord[bytes, bytes]) -> None:
        """Keep an event; what is not an event of ours (a poisoned record, say) is not the player's business."""
        self.read += 1
        try:
            headers = {name: value.decode() for name, value in record.headers}
            event = SeenEvent(
                type=headers["ce_type"], time=datetime.fromisoformat(headers["ce_time"]),
                case_id=UUID(headers["ce_caseid"]),
                item_id=UUID(headers["ce_itemid"]) if "ce_itemid" in headers else None,
                owner=headers.get("ce_owner"), data=json.loads(record.value or b"{}"),
            )
        except (KeyError, ValueError):
            return
        if headers["ce_id"] not in self._by_id:
            self._by_id[headers["ce_id"]] = event
            self._by_case[event.case_id].append(event)
            self._on_event(event)
