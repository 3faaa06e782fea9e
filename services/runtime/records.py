"""A Kafka record read as an event, or the reason why it cannot be: foreign bytes end here."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from pydantic import ValidationError

from contracts import catalogue
from contracts.envelope import EventEnvelope
from services.runtime.problems import PermanentError

PLAIN_NAME: Final = re.compile(r"[a-z][a-z0-9_.]{0,79}", re.ASCII)
FIELDS_NAMED: Final = 5


class Record(Protocol):
    """What we use of a Kafka record; aiokafka's ConsumerRecord and StoredRecord have it."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int | None: ...
    @property
    def offset(self) -> int | None: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...
    @property
    def value(self) -> bytes | None: ...


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record as we keep it; partition and offset are None for a kept event."""

    topic: str
    partition: int | None
    offset: int | None
    key: bytes | None
    headers: Sequence[tuple[str, bytes | None]]
    value: bytes | None


class Unreadable(PermanentError):
    """This record is no event we can act on. The sentence never repeats its content."""


def read(record: Record, handled: Collection[str]) -> EventEnvelope[Any] | None:
    """The event of a record; None for a type we know but do not handle. Raises Unreadable."""
    try:
        headers = {name: value.decode() for name, value in record.headers if value is not None}
    except UnicodeDecodeError:
        raise Unreadable("A header is not UTF-8 text.", code="header_not_text") from None
    event_type = headers.get("ce_type")
    if event_type is None:
        raise Unreadable("The header ce_type is missing: not a CloudEvent.", code="header_missing")
    if event_type not in handled:
        if catalogue.model_of(event_type) is None:
            raise Unreadable(
                f"Event type {_plain(event_type)} is unknown here. Upgrade this service, then retry.",
                code="type_unknown",
            )
        return None
    return read_event(headers, record.value or b"", event_type)


def read_event(headers: dict[str, str], value: bytes, event_type: str) -> EventEnvelope[Any]:
    """The event of these headers and this value. Raises Unreadable."""
    model = catalogue.model_of(event_type)
    if model is None:
        raise Unreadable(f"Event type {_plain(event_type)} is unknown here.", code="type_unknown")
    try:
        envelope = EventEnvelope[Any].read(headers, value, model)
    except ValidationError as error:
        raise Unreadable(f"{event_type}: {_fields_at_fault(error)}.", code="event_invalid") from None
    except KeyError as error:
        raise Unreadable(f"{event_type}: the header {error.args[0]} is missing.", code="header_missing") from None
    except ValueError:
        raise Unreadable(f"{event_type}: a ce_ header has no valid value.", code="header_invalid") from None
    if envelope.time.tzinfo is None:
        raise Unreadable(f"{event_type}: ce_time has no time zone.", code="header_invalid")
    return envelope


def _fields_at_fault(error: ValidationError) -> str:
    # Only names of fields and kinds of fault: the input, and keys that come from it, may be personal.
    faults = error.errors(include_input=False, include_url=False, include_context=False)
    named = [f"{'.'.join(_plain(part) for part in fault['loc']) or 'value'} ({fault['type']})" for fault in faults]
    return ", ".join(named[:FIELDS_NAMED])


def _plain(name: object) -> str:
    return str(name) if isinstance(name, int) or PLAIN_NAME.fullmatch(str(name)) else "?"
