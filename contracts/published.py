"""The files that stand beside the code for readers elsewhere: JSON Schemas, examples, and the page of all events.

Pure: gives each file's text. They are written and compared by `onething contracts generate|check`.
"""

from __future__ import annotations

import json
from typing import Any

from contracts.catalogue import CATALOGUE
from contracts.example_events import example

PAGE_HEAD = """# Events of 社会救助一件事

Generated from `catalogue.py` (`onething contracts generate`). CloudEvents 1.0 in Kafka's binary mode: attributes as
`ce_*` text headers, JSON value, key = case id. Fields are only ever added; a new meaning is a new type. Schemas are in
`schemas/`, one example of each event in `examples/`. This package needs only pydantic and is Apache-2.0.

Who tells whom:
"""


def published_files() -> dict[str, str]:
    """Relative path within `contracts/` → text, for every file that is generated."""
    files: dict[str, str] = {"schemas/catalogue.json": _text(_catalogue()), "README.md": _page()}
    for entry in CATALOGUE:
        schema = entry.model.model_json_schema()
        files[f"schemas/{entry.type}.json"] = _text({"$schema": "https://json-schema.org/draft/2020-12/schema",
                                                     "$id": f"urn:onething:event:{entry.type}", **schema})
        envelope = example(entry.type)
        files[f"examples/{entry.type}.json"] = _text(
            {"key": str(envelope.case_id), "headers": envelope.headers(), "value": json.loads(envelope.body())}
        )
    return files


def _catalogue() -> dict[str, Any]:
    return {
        entry.type: {
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
        for entry in CATALOGUE
    }


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


def _text(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
