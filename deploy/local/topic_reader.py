"""Reads what lies on the catalogue's topics, from the beginning to their ends as they are now."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from contracts.catalogue import TOPICS
from services.runtime.record_batches import survive_any_header_name

READ_TIMEOUT_MS = 500


@dataclass(frozen=True)
class TopicRecord:
    """One record as it lies on its topic."""

    topic: str
    partition: int
    offset: int
    key: str
    headers: dict[str, str]
    text: str

    @property
    def type(self) -> str:
        """Event type without its version; empty for what is no event."""
        return self.headers.get("ce_type", "").rsplit(".v", 1)[0]

    @property
    def event_id(self) -> str:
        """The event's id; empty for what is no event."""
        return self.headers.get("ce_id", "")

    @property
    def data(self) -> dict[str, Any]:
        """The event's data; empty for what is no JSON object."""
        try:
            value = json.loads(self.text)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


async def read_topics(bootstrap: str, *, key: str | None = None) -> list[TopicRecord]:
    """Every record of every topic, or those with one key, in the order of their partitions."""
    survive_any_header_name()
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = [TopicPartition(topic.name, number) for topic in TOPICS for number in range(topic.partitions)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning()
        ends = await consumer.end_offsets(partitions)
        left = {partition for partition, end in ends.items() if end > await consumer.position(partition)}
        read: list[TopicRecord] = []
        while left:
            for partition, records in (await consumer.getmany(timeout_ms=READ_TIMEOUT_MS)).items():
                read += [record for record in map(_as_it_lies, records) if key is None or record.key == key]
                if await consumer.position(partition) >= ends[partition]:
                    left.discard(partition)
        return read
    finally:
        await consumer.stop()


def _as_it_lies(record: Any) -> TopicRecord:
    return TopicRecord(
        record.topic, record.partition, record.offset, (record.key or b"").decode(errors="replace"),
        {name: (value or b"").decode(errors="replace") for name, value in record.headers},
        (record.value or b"").decode(errors="replace"),
    )
