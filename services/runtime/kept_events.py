"""Effects that came before their cause, kept until the cause is here, then handled as if they came after it.

Nothing is lost in any order of arrival: cause and effect belong to one case, and whoever looks for the cause, keeps
the effect or calls `arrived` holds the lock of that case. So either the effect sees the committed cause, or the
cause's transaction comes later and sees the committed kept event.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson

from contracts.envelope import EventEnvelope

LOOP: Final = "kept_events"
ROWS_PER_ROUND: Final = 100


@dataclass(frozen=True, slots=True)
class KeptEvent:
    """One kept event as stored."""

    event_id: UUID
    case_id: UUID
    headers: dict[str, str]
    value: bytes


class Kept:
    """What one transaction keeps and releases, until it is written."""

    def __init__(self) -> None:
        self._waiting: dict[UUID, tuple[str, EventEnvelope[Any]]] = {}
        self._arrived: dict[str, None] = {}

    def wait_for(self, envelope: EventEnvelope[Any], key: str) -> None:
        """Keep the event until `key` arrives."""
        self._waiting[envelope.id] = (key, envelope)

    def arrived(self, *keys: str) -> None:
        """These causes are here."""
        self._arrived.update(dict.fromkeys(keys))

    async def take(self, driver: Any, schema: str) -> tuple[list[KeptEvent], list[EventEnvelope[Any]]]:
        """Take out what the arrived keys release: the stored ones, oldest first, and those of this transaction."""
        keys, self._arrived = list(self._arrived), {}
        if not keys:
            return [], []
        stored = await driver.fetch(
            f"with taken as (delete from {schema}.kept_events where key = any($1) "
            "returning id, event_id, case_id, headers, value) "
            "select event_id, case_id, headers, value from taken order by id",
            keys,
        )
        own = [envelope for key, envelope in self._waiting.values() if key in set(keys)]
        for envelope in own:
            del self._waiting[envelope.id]
        return [_kept_event(row) for row in stored], own

    async def write(self, driver: Any, schema: str) -> bool:
        """Store what is kept and mark what arrived as due; whether anything is due now."""
        arrived = list(self._arrived)
        if self._waiting:
            await driver.executemany(
                f"insert into {schema}.kept_events (event_id, key, case_id, headers, value, due) "
                "values ($1, $2, $3, $4, $5, $6) "
                "on conflict (event_id) do update set key = excluded.key, due = excluded.due",
                [
                    (envelope.id, key, envelope.case_id, orjson.dumps(envelope.headers()).decode(),
                     envelope.body(), key in self._arrived)
                    for key, envelope in self._waiting.values()
                ],
            )
        if arrived:
            await driver.execute(f"update {schema}.kept_events set due = true where key = any($1)", arrived)
        return bool(arrived)


async def due(driver: Any, schema: str) -> Sequence[KeptEvent]:
    """The oldest kept events whose cause has come."""
    rows = await driver.fetch(
        f"select event_id, case_id, headers, value from {schema}.kept_events where due order by id limit $1",
        ROWS_PER_ROUND,
    )
    return [_kept_event(row) for row in rows]


async def take_due(driver: Any, schema: str, case_ids: Collection[UUID]) -> Sequence[KeptEvent]:
    """Take out the kept events of these cases whose cause has come, oldest first. The cases must be locked."""
    rows = await driver.fetch(
        f"with taken as (delete from {schema}.kept_events where due and case_id = any($1) "
        "returning id, event_id, case_id, headers, value) "
        "select event_id, case_id, headers, value from taken order by id",
        list(case_ids),
    )
    return [_kept_event(row) for row in rows]


async def due_count(driver: Any, schema: str) -> int:
    """How many kept events could be handled now."""
    return await driver.fetchval(f"select count(*) from {schema}.kept_events where due")


async def remove(driver: Any, schema: str, event_id: UUID) -> bool:
    """Take one event out; False when somebody else has done so."""
    return await driver.fetchval(
        f"delete from {schema}.kept_events where event_id = $1 and due returning true", event_id
    ) is True


def _kept_event(row: Any) -> KeptEvent:
    return KeptEvent(row["event_id"], row["case_id"], row["headers"], row["value"])
