"""The files beside the code for readers elsewhere: AsyncAPI document, JSON Schemas, examples, the page of all events.

Pure: gives each file's text. They are written and compared by `onething contracts generate|check`.
"""

from __future__ import annotations

import json

from contracts import VERSION
from contracts.asyncapi import asyncapi_document
from contracts.catalogue import CATALOGUE
from contracts.headers import HEADERS_SCHEMA
from contracts.http.catalogue import HTTP_MESSAGES
from contracts.release import DIALECT, catalogue_entry, event_schema, example_record, message_schema

PAGE_HEAD = """# Events of 社会救助一件事

Generated from `catalogue.py` (`onething contracts generate`). CloudEvents 1.0 in Kafka's binary mode: attributes as
`ce_*` text headers, JSON value, key = case id. This package needs only pydantic and is Apache-2.0.

| file | what it is |
|---|---|
| `asyncapi.json` | every topic and event, who sends, who receives, why and which fields (AsyncAPI 3.0) |
| `schemas/`, `examples/` | each event's JSON Schema and one example |
| `schemas/http/` | JSON Schemas of what sources, the bank and departments exchange with us |
| `released/` | every release: schemas, examples, readers; never changed |

## How a contract changes

Fields are only ever added, with a default. A new meaning is a new type (`….v2`) beside the old one, which stays in the
catalogue so that stored events stay readable. `onething contracts check` compares today with the last release:

| verdict | what changed | what to do |
|---|---|---|
| safe | a field added that may be left out; words; a reader or a field granted; longer retention | nothing |
| readers first | a bound loosened; a value more in a list marked `x-grows` | \
update every reader, then write the new values |
| breaking | a field removed, required, or no longer required; a type, format or default changed; a bound tightened; \
a value gone; a value more in a list that does not grow; topic, key, partitions or owner changed; a grant withdrawn | \
undo it, or add a new type |
| unclassified | anything else | undo it, or teach `schema_changes.py` what it does |

An event must fit readers both older and younger than itself: older ones while services are updated, younger ones when
it waited on its topic or in the dead letters. So a list of values that shrinks breaks what is stored, and one that
grows breaks readers of before; only lists marked `x-grows` (`vocabulary.py`) may. An HTTP message has one writer: what
we send may not lose or loosen what the other party reads, what we receive may not refuse what it still sends.

To release: write the version into `__init__.py`, `onething contracts generate`, `onething contracts release VERSION`,
commit. Tests parse the example of every release with today's models.

## Who tells whom
"""


def published_files() -> dict[str, str]:
    """Relative path within `contracts/` → text, for every file that is generated."""
    contents: dict[str, object] = {
        "asyncapi.json": asyncapi_document(VERSION),
        "schemas/catalogue.json": {entry.type: catalogue_entry(entry) for entry in CATALOGUE},
        "schemas/headers.json": {"$schema": DIALECT, "$id": "urn:onething:headers", **HEADERS_SCHEMA},
    }
    for entry in CATALOGUE:
        contents[f"schemas/{entry.type}.json"] = event_schema(entry)
        contents[f"examples/{entry.type}.json"] = example_record(entry.type)
    for message in HTTP_MESSAGES:
        contents[f"schemas/http/{message.name}.json"] = message_schema(message)
    return {"README.md": _page(), **{name: json_text(content) for name, content in contents.items()}}


def json_text(content: object) -> str:
    """JSON as it is committed: sorted, so that a difference is a change."""
    return json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def _page() -> str:
    """The page of all events: who owns each, who reads it and why, and a picture of who tells whom."""
    arrows = dict.fromkeys(
        f"    {_node(entry.topic.owner)} --> {_node(grant.reader)}" for entry in CATALOGUE for grant in entry.grants
    )
    rows = [
        f"| `{entry.type}` | {(entry.model.__doc__ or '').split(chr(10))[0]} | `{entry.topic.name}` | "
        + "<br>".join(f"{grant.reader}: {grant.why}" for grant in entry.grants) + " |"
        for entry in CATALOGUE
    ]
    return "\n".join([
        PAGE_HEAD, "```mermaid", "flowchart LR", *sorted(arrows), "```", "",
        "| event | what happened | topic | readers, and why |", "|---|---|---|---|", *rows, "",
    ])


def _node(party: str) -> str:
    return f"{party.replace(':', '_')}[{party}]"

