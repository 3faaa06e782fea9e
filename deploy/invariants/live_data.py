"""What the checks look at: the database as its admin, every record on every topic, the bank's books, the logs."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import asyncpg

from deploy.local.topic_reader import TopicRecord


@dataclass
class LiveData:
    """A look at everything, taken when the checks begin."""

    database: asyncpg.Connection
    records: list[TopicRecord] = field(default_factory=list[TopicRecord])
    bank_lines: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    secret_texts: frozenset[str] = frozenset()
    """Every identifier the vault keeps, in clear: what must be found nowhere else."""
    logs: Path | None = None

    async def rows(self, statement: str, *values: object) -> list[asyncpg.Record]:
        """Rows of a read-only statement."""
        return await self.database.fetch(statement, *values)

    @cached_property
    def events(self) -> list[TopicRecord]:
        """Every event where it lies first: a relay that died before it had noted a delivery delivers again."""
        first: dict[tuple[str, str], TopicRecord] = {}
        for record in self.records:
            first.setdefault((record.topic, record.event_id or f"{record.partition}/{record.offset}"), record)
        return list(first.values())

    def of_type(self, event_type: str) -> list[TopicRecord]:
        """Events of one type, in the order of their partitions."""
        return [event for event in self.events if event.type == event_type]
