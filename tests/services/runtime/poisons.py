"""Everything that can be wrong with a record, each made of a good event, and put on Kafka byte for byte."""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from uuid import uuid4

from aiokafka import AIOKafkaProducer
from aiokafka.record.util import calc_crc32c

from contracts.envelope import EventEnvelope
from services.runtime.dead_letters import OpenedDeadLetter

TWO_MEGABYTES = 2 * 1024 * 1024
BROKER_ALLOWS_BYTES = 4 * 1024 * 1024
IDENTITY_NUMBER = "11010519491231002X"
BATCH_CRC_AT, BATCH_CHECKED_FROM = 17, 21
Header = tuple[bytes, bytes | None]


@dataclass(frozen=True)
class Sent:
    """A record as bytes: names of headers too may be anything."""

    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...]

    @classmethod
    def of(cls, event: EventEnvelope[Any]) -> Sent:
        """A good one."""
        headers = tuple((name.encode(), value.encode()) for name, value in event.headers().items())
        return cls(str(event.case_id).encode(), event.body(), headers)

    def with_header(self, name: bytes, value: bytes | None) -> Sent:
        """Its header of that name changed, or added."""
        return replace(self, headers=(*(each for each in self.headers if each[0] != name), (name, value)))

    def without_header(self, name: bytes) -> Sent:
        return replace(self, headers=tuple(each for each in self.headers if each[0] != name))


class Poison(NamedTuple):
    """One way in which a record is wrong, and the reason its dead letter must give."""

    spoil: Callable[[Sent], Sent]
    reason_code: str


NEEDED_HEADERS = (
    b"ce_specversion", b"ce_id", b"ce_type", b"ce_source", b"ce_time", b"ce_caseid", b"ce_jurisdiction", b"ce_ruledate",
)

POISONS: dict[str, Poison] = {
    "not JSON": Poison(lambda sent: replace(sent, value=b"\xff\x00 not JSON " + IDENTITY_NUMBER.encode()),
                       "event_invalid"),
    "empty": Poison(lambda sent: replace(sent, value=b""), "event_invalid"),
    "not an object": Poison(lambda sent: replace(sent, value=b"[1, 2]"), "event_invalid"),
    "failing validation": Poison(
        lambda sent: replace(sent, value=b'{"unheard_of": "%b"}' % IDENTITY_NUMBER.encode()), "event_invalid"),
    "tombstone": Poison(lambda sent: replace(sent, value=None), "value_missing"),
    "2 MB": Poison(lambda sent: replace(sent, value=(sent.value or b"") + b" " * TWO_MEGABYTES), "value_too_large"),
    "a header that is not UTF-8": Poison(lambda sent: sent.with_header(b"x-foreign", b"\xff\xfe"), "header_not_text"),
    "a header's name that is not UTF-8": Poison(lambda sent: sent.with_header(b"\xc3\x28\xff", b"1"),
                                                "header_not_text"),
    "an event id that is none": Poison(lambda sent: sent.with_header(b"ce_id", b"seven"), "header_invalid"),
    "a case id that is none": Poison(lambda sent: sent.with_header(b"ce_caseid", b"seven"), "header_invalid"),
    "a time without zone": Poison(lambda sent: sent.with_header(b"ce_time", b"2025-01-06T09:00:00"), "header_invalid"),
    "unknown version of its type": Poison(
        lambda sent: sent.with_header(b"ce_type", dict(sent.headers)[b"ce_type"].rpartition(b".")[0] + b".v9"),
        "type_unknown"),
    "unknown type": Poison(lambda sent: sent.with_header(b"ce_type", b"moon.landed.v1"), "type_unknown"),
    "unknown version of its envelope": Poison(lambda sent: sent.with_header(b"ce_specversion", b"2.0"),
                                              "version_unknown"),
    "another case's key": Poison(lambda sent: replace(sent, key=str(uuid4()).encode()), "key_wrong"),
    "a key that is no case id": Poison(lambda sent: replace(sent, key=IDENTITY_NUMBER.encode()), "key_wrong"),
    "no key": Poison(lambda sent: replace(sent, key=None), "key_wrong"),
    **{f"without {name.decode()}": Poison(lambda sent, name=name: sent.without_header(name), "header_missing")
       for name in NEEDED_HEADERS},
}


def poison_producer(bootstrap: str) -> AIOKafkaProducer:
    """A producer that sends what ours never would."""
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap, max_request_size=2 * BROKER_ALLOWS_BYTES, max_batch_size=BROKER_ALLOWS_BYTES
    )


async def send_as_it_is(producer: AIOKafkaProducer, topic: str, partition: int, sent: Sent) -> int:
    """Put a record on its partition and return its offset.

    aiokafka takes only text as the name of a header: others stand there as x's until the batch is built.
    """
    names = [name if _is_text(name) else b"x" * len(name) for name, _ in sent.headers]
    batch: Any = producer.create_batch()
    headers = [(name.decode(), value) for name, (_, value) in zip(names, sent.headers, strict=True)]
    assert batch.append(timestamp=None, key=sent.key, value=sent.value, headers=headers) is not None
    batch.close()
    raw = bytearray(batch._build())
    for shown, (name, _) in zip(names, sent.headers, strict=True):
        if shown != name:
            at = raw.rindex(shown)
            raw[at:at + len(name)] = name
    struct.pack_into(">I", raw, BATCH_CRC_AT, calc_crc32c(bytes(raw[BATCH_CHECKED_FROM:])))
    batch._buffer = raw
    acknowledged = await producer.send_batch(batch, topic, partition=partition)
    return (await acknowledged).offset


def _is_text(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


def sent_of(letter: OpenedDeadLetter) -> Sent:
    """The record of a dead letter; of its headers' names those that are no text are shown escaped."""
    headers = [(_name(name), _bytes(value)) for name, value in letter.headers]
    return Sent(_bytes(letter.key), _bytes(letter.value), tuple(headers))


def _name(shown: str) -> bytes:
    return shown.encode().decode("unicode_escape").encode("latin-1") if "\\x" in shown else shown.encode()


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)
