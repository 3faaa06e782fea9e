"""A Kafka record read as an event, or the reason why it cannot be: foreign bytes end here."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol
from uuid import UUID

from pydantic import ValidationError

from contracts import catalogue
from contracts.envelope import SPEC_VERSION, EventEnvelope
from services.runtime.problems import PermanentError

PLAIN_NAME: Final = re.compile(r"[a-z][a-z0-9_.]{0,79}", re.ASCII)
FIELDS_NAMED: Final = 5
_read_envelope = EventEnvelope[Any].read  # looked up once: a generic alias is slow, and every record comes here
LARGEST_VALUE_BYTES: Final = 1024 * 1024
"""What a broker takes unless it is told otherwise. Our own events are far smaller: outbox.MAX_EVENT_BYTES."""


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
        "".join(headers).encode()  # a name that is no text holds lone surrogates: see record_batches
    except UnicodeError:
        raise Unreadable("A header is not UTF-8 text.", code="header_not_text") from None
    event_type = headers.get("ce_type")
    if event_type is None or "ce_specversion" not in headers:
        raise Unreadable("ce_type or ce_specversion is missing: not a CloudEvent.", code="header_missing")
    if headers["ce_specversion"] != SPEC_VERSION:
        raise Unreadable(f"Not a CloudEvent of version {SPEC_VERSION}. Upgrade this service, then retry.",
                         code="version_unknown")
    if event_type not in handled:
        if catalogue.model_of(event_type) is None:
            raise Unreadable(
                f"Event type {_plain(event_type)} is unknown here. Upgrade this service, then retry.",
                code="type_unknown",
            )
        return None
    if record.value is None:
        raise Unreadable(f"{event_type}: the record has no value (a tombstone).", code="value_missing")
    if len(record.value) > LARGEST_VALUE_BYTES:
        raise Unreadable(f"{event_type}: {len(record.value)} bytes, at most {LARGEST_VALUE_BYTES} are read.",
                         code="value_too_large")
    event = read_event(headers, record.value, event_type)
    if record.key != str(event.case_id).encode():
        # Hazard: the key chooses the partition, so under another key the events of a case have no order.
        raise Unreadable(f"{event_type}: the key is not the case id of ce_caseid.", code="key_wrong")
    return event


def case_by_key(record: Record) -> UUID | None:
    """The case in whose order a record lies, whatever else is wrong with it; None where its key is no case id."""
    try:
        case_id = UUID((record.key or b"").decode())
    except ValueError:
        return None
    return case_id if str(case_id).encode() == record.key else None


def read_event(headers: dict[str, str], value: bytes, event_type: str) -> EventEnvelope[Any]:
    """The event of these headers and this value. Raises Unreadable."""
    model = catalogue.model_of(event_type)
    if model is None:
        raise Unreadable(f"Event type {_plain(event_type)} is unknown here.", code="type_unknown")
    try:
        envelope = _read_envelope(headers, value, model)
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
