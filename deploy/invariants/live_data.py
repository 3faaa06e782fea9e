"""What the checks look at: the database as its admin, every record on every topic, the bank's books, the logs."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from contracts.catalogue import TOPICS


@dataclass(frozen=True)
class TopicRecord:
    """One record as it lies on its topic."""

    topic: str
    partition: int
    offset: int
    headers: dict[str, str]
    text: str

    @property
    def type(self) -> str:
        """Event type without its version; empty for what is no event."""
        return self.headers.get("ce_type", "").rsplit(".v", 1)[0]

    @property
    def data(self) -> dict[str, Any]:
        """The event's data; empty for what is no JSON object."""
        try:
            value = json.loads(self.text)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


@dataclass
class LiveData:
    """A look at everything, taken when the checks begin."""

    database: asyncpg.Connection[asyncpg.Record]
    records: list[TopicRecord] = field(default_factory=list[TopicRecord])
    bank_lines: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    secret_texts: frozenset[str] = frozenset()
    """Every identifier the vault keeps, in clear: what must be found nowhere else."""
    logs: Path | None = None

    async def rows(self, statement: str, *values: object) -> list[asyncpg.Record]:
        """Rows of a read-only statement."""
        return await self.database.fetch(statement, *values)

    def of_type(self, event_type: str) -> list[TopicRecord]:
        """Records of one event type, in the order of their partitions."""
        return [record for record in self.records if record.type == event_type]


async def read_topics(bootstrap: str) -> list[TopicRecord]:
    """Every record of every topic of the catalogue, up to the ends as they are now."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [TopicPartition(topic.name, number) for topic in TOPICS for number in range(topic.partitions)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning()
        ends = await consumer.end_offsets(partitions)
        left = {partition for partition, end in ends.items() if end > await consumer.position(partition)}
        read: list[TopicRecord] = []
        while left:
            for partition, records in (await consumer.getmany(timeout_ms=500)).items():
                read += [
                    TopicRecord(
                        record.topic, record.partition, record.offset,
                        {name: value.decode(errors="replace") for name, value in record.headers},
                        (record.value or b"").decode(errors="replace"),
                    )
                    for record in records
                ]
                if await consumer.position(partition) >= ends[partition]:
                    left.discard(partition)
        return read
    finally:
        await consumer.stop()
