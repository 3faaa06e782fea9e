"""A record we keep because nobody could handle it, encrypted: whatever went wrong with it, it may name a person."""

from __future__ import annotations

import base64
import os
from typing import Final

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.runtime.payloads import NONCE_BYTES
from services.runtime.problems import PermanentError
from services.runtime.records import Record, StoredRecord

PURPOSE: Final = b"onething parked record"
"""Bound to every sealed record, so that nothing else under the same key is ever taken for one."""


class CannotOpen(PermanentError):
    """A sealed record was changed, or sealed with another key."""


def seal(record: Record, payload_key: str) -> bytes:
    """Key, headers and value of a record, byte for byte, under AES-256-GCM. `payload_key` is base64 of 32 bytes."""
    headers = [(name_bytes(name), value) for name, value in record.headers]
    plain = orjson.dumps([_text(record.key), [(_text(name), _text(value)) for name, value in headers],
                          _text(record.value)])
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(base64.b64decode(payload_key)).encrypt(nonce, plain, PURPOSE)


def open_sealed(
    sealed: bytes, payload_key: str, *, topic: str, partition: int | None, offset: int | None
) -> StoredRecord:
    """The record as it was on Kafka. Raises CannotOpen."""
    nonce, data = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
    try:
        plain = AESGCM(base64.b64decode(payload_key)).decrypt(nonce, data, PURPOSE)
    except InvalidTag:
        raise CannotOpen(
            f"{topic}/{partition}/{offset} was sealed with another key than ONETHING_PAYLOAD_KEY. Give that key back.",
            code="sealed_with_another_key",
        ) from None
    key, headers, value = orjson.loads(plain)
    return StoredRecord(
        topic, partition, offset, _bytes(key),
        [((_bytes(name) or b"").decode("utf-8", "surrogateescape"), _bytes(content)) for name, content in headers],
        _bytes(value),
    )


def name_bytes(name: str) -> bytes:
    """The name of a header as it was sent (see record_batches)."""
    return name.encode("utf-8", "surrogateescape")


def _text(content: bytes | None) -> str | None:
    return None if content is None else base64.b64encode(content).decode()


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)
