"""The AsyncAPI 3.0 document of every topic: who sends what, who receives it, why, and which fields. Pure.

Payloads are plain JSON Schema in words that draft 07, AsyncAPI's default, and 2020-12 share.
"""

from __future__ import annotations

from typing import Any, Final, cast

from pydantic.json_schema import models_json_schema

from contracts.catalogue import CATALOGUE, TOPICS, Entry, Grant, Topic
from contracts.headers import HEADERS_SCHEMA
from contracts.release import example_record

ASYNCAPI_VERSION: Final = "3.0.0"
KAFKA_BINDING_VERSION: Final = "0.5.0"
HOUR_MS: Final = 3_600_000
SERVER: Final = "kafka"

Json = dict[str, Any]

DESCRIPTION: Final = """Events of social relief as one thing (社会救助一件事), from application to payment.

CloudEvents 1.0 in Kafka's binary mode: attributes as `ce_*` headers, JSON value. The key of every record is the case
id, so what happens to one case keeps its order within a topic. Delivery is at least once: handle each `ce_id` once.
Readers ignore fields they do not know. Fields are only added; a new meaning is a new type. A list of values marked
`x-grows` gets new values, of which readers are told first. No event holds a name, an identity number or an account.
"""


def asyncapi_document(version: str) -> Json:
    """The whole document, for contracts of this version."""
    return {
        "asyncapi": ASYNCAPI_VERSION,
        "id": "urn:onething:contracts",
        "info": {
            "title": "社会救助一件事 · events",
            "version": version,
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
            "tags": [{"name": owner} for owner in sorted({topic.owner for topic in TOPICS})],
        },
        "defaultContentType": "application/json",
        "servers": {SERVER: _server()},
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": {name: operation for entry in CATALOGUE for name, operation in _operations(entry).items()},
        "components": {
            "messages": {name: message for entry in CATALOGUE for name, message in _messages(entry).items()},
            "schemas": {"CloudEventHeaders": HEADERS_SCHEMA, **_schemas()},
        },
    }


def _server() -> Json:
    return {
        "host": "{bootstrap}",
        "protocol": "kafka",
        "description": "The city's Kafka. Each reader has its own account and sees its own topics.",
        "variables": {"bootstrap": {"description": "Host and port of a broker.", "examples": ["broker.example:9092"]}},
    }


def _channel(topic: Topic) -> Json:
    return {
        "address": topic.name,
        "description": f"Owned by {topic.owner}: nobody else writes to it.",
        "servers": [{"$ref": f"#/servers/{SERVER}"}],
        "messages": {name: {"$ref": f"#/components/messages/{_pointer(name)}"} for name in _messages_of(topic)},
        "bindings": {"kafka": {
            "topic": topic.name,
            "partitions": topic.partitions,
            "topicConfiguration": {"cleanup.policy": ["delete"], "retention.ms": topic.retention_hours * HOUR_MS},
            "bindingVersion": KAFKA_BINDING_VERSION,
        }},
    }


def _messages_of(topic: Topic) -> list[str]:
    own = [entry.type for entry in CATALOGUE if entry.topic == topic]
    copies = [_copy_name(entry, grant) for entry in CATALOGUE for grant in entry.grants if grant.topic == topic.name]
    return own + copies


def _messages(entry: Entry) -> Json:
    """The event as its owner writes it, and the copy of each reader that has a topic to itself."""
    example = example_record(entry.type)
    messages: Json = {entry.type: _message(entry, {"$ref": f"#/components/schemas/{entry.model.__name__}"}, example)}
    for grant in entry.grants:
        if grant.topic is not None:
            fields = grant.fields or frozenset(entry.model.model_fields)
            value = {name: each for name, each in example["value"].items() if name in fields}
            copy = _message(entry, _granted_schema(entry, fields), {**example, "value": value})
            messages[_copy_name(entry, grant)] = copy
    return messages


def _message(entry: Entry, payload: Json, example: Json) -> Json:
    return {
        "name": entry.type,
        "title": entry.model.__name__,
        "summary": (entry.model.__doc__ or "").split("\n")[0],
        "contentType": "application/json",
        "headers": {"allOf": [
            {"$ref": "#/components/schemas/CloudEventHeaders"},
            {"type": "object", "properties": {"ce_type": {"type": "string", "const": entry.type}}},
        ]},
        "payload": payload,
        "correlationId": {"location": "$message.header#/ce_correlationid"},
        "bindings": {"kafka": {
            "key": {"type": "string", "format": "uuid", "description": "The case id (办件)."},
            "bindingVersion": KAFKA_BINDING_VERSION,
        }},
        "examples": [{"name": "made_up", "headers": example["headers"], "payload": example["value"]}],
    }


def _operations(entry: Entry) -> Json:
    """`send` by the owner; `receive` by each reader, with its reason and its fields."""
    channel = {"$ref": f"#/channels/{_pointer(entry.topic.name)}"}
    operations: Json = {
        f"{entry.topic.owner}.send.{entry.type}": {
            "action": "send", "channel": channel, "messages": [_message_ref(entry.topic.name, entry.type)],
            "summary": (entry.model.__doc__ or "").split("\n")[0], "tags": [{"name": entry.topic.owner}],
        },
    }
    for grant in entry.grants:
        topic = grant.topic or entry.topic.name
        message = _message_ref(topic, _copy_name(entry, grant) if grant.topic else entry.type)
        channel = {"$ref": f"#/channels/{_pointer(topic)}"}
        if grant.topic:
            operations[f"{entry.topic.owner}.send.{_copy_name(entry, grant)}"] = {
                "action": "send", "channel": channel, "messages": [message], "tags": [{"name": entry.topic.owner}],
                "summary": f"The copy for {grant.reader}, with only what it is granted.",
            }
        fields = grant.fields if grant.fields is not None else frozenset(entry.model.model_fields)
        operations[f"{grant.reader.replace(':', '.')}.receive.{entry.type}"] = {
            "action": "receive", "channel": channel, "messages": [message], "tags": [{"name": grant.reader}],
            "summary": grant.why, "description": f"Purpose: {grant.why}. Fields granted: {', '.join(sorted(fields))}.",
            "x-reader": grant.reader, "x-fields-granted": sorted(fields),
        }
    return operations


def _schemas() -> Json:
    _, together = models_json_schema(
        [(entry.model, "validation") for entry in CATALOGUE], ref_template="#/components/schemas/{model}"
    )
    return {name: _with_words_beside_references(schema) for name, schema in cast(Json, together["$defs"]).items()}


def _with_words_beside_references(node: Any) -> Any:
    """Draft 07 ignores what stands beside a `$ref`: it goes into `allOf`, so that descriptions and defaults count."""
    if isinstance(node, list):
        return [_with_words_beside_references(each) for each in cast(list[Any], node)]
    if not isinstance(node, dict):
        return node
    schema = {key: _with_words_beside_references(value) for key, value in cast(Json, node).items()}
    if "$ref" in schema and len(schema) > 1:
        return {"allOf": [{"$ref": schema.pop("$ref")}], **schema}
    return schema


def _granted_schema(entry: Entry, fields: frozenset[str]) -> Json:
    whole = cast(Json, _schemas()[entry.model.__name__])
    return {
        **whole,
        "properties": {name: schema for name, schema in whole["properties"].items() if name in fields},
        "required": [name for name in whole["required"] if name in fields],
    }


def _copy_name(entry: Entry, grant: Grant) -> str:
    return f"{entry.type}.{grant.reader.replace(':', '.')}"


def _message_ref(topic: str, message: str) -> Json:
    return {"$ref": f"#/channels/{_pointer(topic)}/messages/{_pointer(message)}"}


def _pointer(name: str) -> str:
    """A name as a part of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")
