"""The envelope of every event: CloudEvents 1.0 in Kafka's binary mode (attributes as ``ce_*`` text headers).

Source: CloudEvents 1.0 specification and its Kafka protocol binding. Extension attributes are lower-case
letters and digits only, as the specification asks.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar, Generic, Self, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

SPEC_VERSION = "1.0"
CONTENT_TYPE = "application/json"

_ID = TypeAdapter(UUID)

Jurisdiction = str
"""GB/T 2260 county (6 digits), GB/T 10114 town (9) or village (12); a city is its 4-digit prefix."""


class _Newest:
    """The first 60 bits of the newest id: milliseconds, then a counter that begins at a random number below 2048."""

    value = 0


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562), ordered by the machine's time, and within a process by the order of making."""
    random = int.from_bytes(os.urandom(10))
    now = (time.time_ns() // 1_000_000) << 12 | random >> 69
    newest = _Newest.value = now if now >> 12 > _Newest.value >> 12 else _Newest.value + 1
    return UUID(int=(newest >> 12) << 80 | 0x7 << 76 | (newest & 0xFFF) << 64 | 0b10 << 62 | random & (1 << 62) - 1)


class Event(BaseModel):
    """What happened, as data. Writers are strict; readers ignore fields they do not know.

    A subclass is one event type in one version. Fields are only ever added, with a default; a new meaning is a
    new type.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, ser_json_bytes="base64")

    TYPE: ClassVar[str]


class Subject(BaseModel):
    """What an event is about: the case, and within it the item and the district that decides it."""

    model_config = ConfigDict(frozen=True)

    case_id: UUID = Field(description="The household's one-thing case (办件); key of every topic.")
    item_id: UUID | None = Field(default=None, description="The item (事项) of the case, where there is one.")
    jurisdiction: Jurisdiction = Field(description="Where this happened; decides who may see it.")
    owner: Jurisdiction | None = Field(default=None, description="The district that decides the item (承办地).")
    epoch: int | None = Field(default=None, description="How many owners the item has had; the first is 1.")
    correlation_id: UUID | None = Field(
        default=None, description="Follows one matter through every service; the case id where none is given."
    )


EventT = TypeVar("EventT", bound=Event)


@dataclass(frozen=True, kw_only=True)
class EventEnvelope(Generic[EventT]):
    """One event with its context. No pydantic model: it is made for every record, and `read` checks its parts."""

    id: UUID
    type: str
    """Event type and version, such as `item.accepted.v1`."""
    source: str
    """The service that owns it, such as `/services/intake`."""
    time: datetime
    """Legal time of what happened (UTC)."""
    subject: Subject
    rule_date: date
    """The legal date (Asia/Shanghai) on which rules were applied."""
    data: EventT
    causation_id: UUID | None = None
    """The event or command that led to this one."""

    @property
    def case_id(self) -> UUID:
        """The case this event belongs to."""
        return self.subject.case_id

    @property
    def item_id(self) -> UUID:
        """The item this event is about. Raises ValueError where the event has none."""
        if self.subject.item_id is None:
            raise ValueError(f"Event {self.id} ({self.type}) carries no item id.")
        return self.subject.item_id

    def headers(self) -> dict[str, str]:
        """The Kafka headers of this event, all text."""
        subject, case_id = self.subject, str(self.case_id)
        return {
            name: value
            for name, value in (
                ("ce_specversion", SPEC_VERSION),
                ("ce_id", str(self.id)),
                ("ce_type", self.type),
                ("ce_source", self.source),
                ("ce_time", self.time.isoformat()),
                ("ce_caseid", case_id),
                ("ce_itemid", str(subject.item_id) if subject.item_id else ""),
                ("ce_jurisdiction", subject.jurisdiction),
                ("ce_owner", subject.owner or ""),
                ("ce_epoch", str(subject.epoch) if subject.epoch is not None else ""),
                ("ce_correlationid", str(subject.correlation_id) if subject.correlation_id else case_id),
                ("ce_causationid", str(self.causation_id) if self.causation_id else ""),
                ("ce_ruledate", self.rule_date.isoformat()),
                ("content-type", CONTENT_TYPE),
            )
            if value
        }

    def body(self) -> bytes:
        """The Kafka value: the event's data as JSON."""
        return self.data.model_dump_json().encode()

    @classmethod
    def of(cls, data: EventT, subject: Subject, *, service: str, time: datetime, rule_date: date,
           causation_id: UUID | None = None) -> Self:
        """A new event with a fresh id."""
        return cls(id=new_id(), type=data.TYPE, source=f"/services/{service}", time=time, subject=subject,
                   causation_id=causation_id, rule_date=rule_date, data=data)

    @classmethod
    def read(cls, headers: Mapping[str, str], value: bytes, model: type[EventT]) -> EventEnvelope[EventT]:
        """Parse a record. Raises pydantic.ValidationError or KeyError for what is not a valid event."""
        epoch = headers.get("ce_epoch")
        return EventEnvelope(
            id=_id(headers["ce_id"]),
            type=headers["ce_type"],
            source=headers["ce_source"],
            time=datetime.fromisoformat(headers["ce_time"]),
            subject=Subject(
                case_id=_id(headers["ce_caseid"]),
                item_id=_id(headers["ce_itemid"]) if headers.get("ce_itemid") else None,
                jurisdiction=headers["ce_jurisdiction"],
                owner=headers.get("ce_owner"),
                epoch=int(epoch) if epoch else None,
                correlation_id=_id(headers.get("ce_correlationid") or headers["ce_caseid"]),
            ),
            causation_id=_id(headers["ce_causationid"]) if headers.get("ce_causationid") else None,
            rule_date=date.fromisoformat(headers["ce_ruledate"]),
            data=model.model_validate_json(value),
        )


def _id(text: str) -> UUID:
    # By pydantic, which reads an id in a sixth of the time that UUID takes: every record has four.
    try:
        return _ID.validate_python(text)
    except ValidationError:
        raise ValueError("Not a UUID.") from None
