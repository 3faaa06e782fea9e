"""The Kafka headers of every event as a JSON Schema: CloudEvents 1.0 attributes and our extensions, all text."""

from __future__ import annotations

from typing import Any, Final

from contracts.envelope import CONTENT_TYPE, SPEC_VERSION


def _uuid(description: str) -> dict[str, Any]:
    return {"type": "string", "format": "uuid", "description": description}


def _text(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "description": description, **more}


HEADERS_SCHEMA: Final[dict[str, Any]] = {
    "title": "CloudEventHeaders",
    "description": "CloudEvents 1.0 in Kafka's binary mode. A header without a value is left out.",
    "type": "object",
    "properties": {
        "ce_specversion": _text("Version of CloudEvents.", const=SPEC_VERSION),
        "ce_id": _uuid("The event's id (UUIDv7). A reader handles each id once."),
        "ce_type": _text("Event type and version, such as `item.accepted.v1`."),
        "ce_source": _text("The service that owns it, such as `/services/intake`.", format="uri-reference"),
        "ce_time": _text("Legal time of what happened (UTC).", format="date-time"),
        "ce_caseid": _uuid("The case (办件); also the key of the record."),
        "ce_itemid": _uuid("The item (事项) of the case, where there is one."),
        "ce_jurisdiction": _text("Area code of where it happened; decides who may see it."),
        "ce_owner": _text("Area code of the district that decides the item (承办地)."),
        "ce_epoch": _text("How many owners the item has had; the first is 1.", pattern="^[0-9]+$"),
        "ce_correlationid": _uuid("Follows one matter through every service."),
        "ce_causationid": _uuid("The event or command that led to this one."),
        "ce_ruledate": _text("The legal date (Asia/Shanghai) on which rules were applied.", format="date"),
        "content-type": _text("Of the record's value.", const=CONTENT_TYPE),
    },
    "required": ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "ce_caseid", "ce_jurisdiction",
                 "ce_correlationid", "ce_ruledate", "content-type"],
}
