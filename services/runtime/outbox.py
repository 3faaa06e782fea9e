"""Events waiting in the same transaction as the change they tell of, until the relay has published them."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson

from contracts import catalogue
from contracts.envelope import Event, EventEnvelope

MAX_EVENT_BYTES: Final = 64 * 1024
SHARDS: Final = 8
"""A case stays in one shard; relays take shards. Changing it while rows wait only changes who sends them."""
COLUMNS: Final = ("event_id", "topic", "key", "shard", "headers", "value")
FEW_ROWS: Final = 32
"""Up to so many are inserted: COPY needs two trips to the server, which pay only for many."""


class EventRefused(Exception):
    """This event cannot be published as it is: a mistake in the writer, found before the commit."""


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One record as it will stand on Kafka."""

    event_id: UUID
    topic: str
    key: str
    shard: int
    headers: str
    value: bytes


def row_of(
    envelope: EventEnvelope[Any], *, topic: str | None = None, fields: frozenset[str] | None = None
) -> OutboxRow:
    """The row of an event: on its own topic, or on another one with only the granted fields.

    Raises EventRefused for a type the catalogue lacks, data its own model refuses, or more than MAX_EVENT_BYTES:
    so the relay never meets a row it cannot send.
    """
    data: Event = envelope.data
    try:
        own_topic = catalogue.topic_of(envelope.type)
    except KeyError:
        raise EventRefused(f"{envelope.type}: not in the catalogue. Add it with its topic and readers.") from None
    try:
        value = data.model_dump_json(include=set(fields) if fields is not None else None, warnings="error").encode()
        if fields is None:
            type(data).model_validate_json(value)
    except ValueError:
        # Hazard: a copy with `update` or model_construct skips validation; readers would park such an event.
        raise EventRefused(f"{data.TYPE}: its data breaks its own model. Build it through the model.") from None
    headers = orjson.dumps(envelope.headers()).decode()
    size = len(headers) + len(value)
    if size > MAX_EVENT_BYTES:
        raise EventRefused(
            f"{envelope.type} of case {envelope.case_id}: {size} bytes, at most {MAX_EVENT_BYTES} are allowed. "
            "Carry a reference instead of the content."
        )
    key = str(envelope.case_id)
    return OutboxRow(envelope.id, topic or own_topic, key, shard_of(key), headers, value)


def shard_of(key: str) -> int:
    """The shard of a key: stable across processes and restarts."""
    return zlib.crc32(key.encode()) % SHARDS


async def insert(driver: Any, schema: str, rows: Sequence[OutboxRow]) -> None:
    """Write the rows in the order recorded, which is the order of their ids."""
    records = [(row.event_id, row.topic, row.key, row.shard, row.headers, row.value) for row in rows]
    if len(records) > FEW_ROWS:
        await driver.copy_records_to_table("outbox", schema_name=schema, columns=COLUMNS, records=records)
        return
    columns = ", ".join(COLUMNS)
    await driver.execute(
        f"insert into {schema}.outbox ({columns}) select {columns} "
        "from unnest($1::uuid[], $2::text[], $3::text[], $4::smallint[], $5::jsonb[], $6::bytea[]) "
        f"with ordinality as recorded ({columns}, position) order by position",
        *map(list, zip(*records, strict=True)),
    )
