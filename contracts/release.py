"""A release of the contracts as one document: every event, its readers, its schema and its example; HTTP messages.

Pure. `onething contracts release` keeps today's document in `released/`; `contracts.compatibility` compares two.
"""

from __future__ import annotations

import json
from typing import Any

from contracts.catalogue import CATALOGUE, Entry
from contracts.example_events import example
from contracts.headers import HEADERS_SCHEMA
from contracts.http.catalogue import HTTP_MESSAGES, Direction, HttpMessage

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Release = dict[str, Any]


def todays_release(version: str) -> Release:
    """What a release made now would hold."""
    return {
        "version": version,
        "headers": HEADERS_SCHEMA,
        "events": {
            entry.type: {**catalogue_entry(entry), "schema": event_schema(entry), "example": example_record(entry.type)}
            for entry in CATALOGUE
        },
        "messages": {
            message.name: {"party": message.party, "direction": message.direction.value,
                           "schema": message_schema(message)}
            for message in HTTP_MESSAGES
        },
    }


def catalogue_entry(entry: Entry) -> dict[str, Any]:
    """Where an event is found, who owns it and who may read which fields."""
    return {
        "topic": entry.topic.name,
        "key": "case_id",
        "partitions": entry.topic.partitions,
        "retention_hours": entry.topic.retention_hours,
        "owner": entry.topic.owner,
        "readers": [
            {"reader": grant.reader, "why": grant.why, "topic": grant.topic or entry.topic.name,
             "fields": sorted(grant.fields if grant.fields is not None else entry.model.model_fields)}
            for grant in entry.grants
        ],
    }


def event_schema(entry: Entry) -> dict[str, Any]:
    """The JSON Schema of an event's value."""
    return {"$schema": DIALECT, "$id": f"urn:onething:event:{entry.type}", **entry.model.model_json_schema()}


def example_record(event_type: str) -> dict[str, Any]:
    """An event's example as a Kafka record: key, headers, value."""
    envelope = example(event_type)
    return {"key": str(envelope.case_id), "headers": envelope.headers(), "value": json.loads(envelope.body())}


def message_schema(message: HttpMessage) -> dict[str, Any]:
    """The JSON Schema of an HTTP body, as its writer fills it in or as its reader lets it in."""
    mode = "serialization" if message.direction is Direction.SENT else "validation"
    schema = message.model.model_json_schema(mode=mode)
    return {"$schema": DIALECT, "$id": f"urn:onething:http:{message.name}", **schema}
