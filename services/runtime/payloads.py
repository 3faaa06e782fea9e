"""Temporal payloads: pydantic models as JSON, encrypted before they leave the process."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence
from dataclasses import replace

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes, PayloadCodec

ENCRYPTED = b"binary/encrypted"
CIPHER = b"AES-256-GCM"
KEY_BYTES = 32
NONCE_BYTES = 12


class PayloadRefused(Exception):
    """A payload is not encrypted with our key."""


class EncryptingCodec(PayloadCodec):
    """AES-256-GCM for every payload. Decoding refuses plaintext: no one slips us an unencrypted history."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"ONETHING_PAYLOAD_KEY must be base64 of {KEY_BYTES} bytes.")
        self._cipher = AESGCM(key)
        self._key_id = hashlib.sha256(b"onething payload key id" + key).hexdigest()[:16].encode()

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encrypt each payload, metadata and all."""
        return [self._encrypt(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decrypt each payload. Raises PayloadRefused for plaintext, another key, or a changed byte."""
        return [self._decrypt(payload) for payload in payloads]

    def _encrypt(self, payload: Payload) -> Payload:
        nonce = os.urandom(NONCE_BYTES)
        data = nonce + self._cipher.encrypt(nonce, payload.SerializeToString(), self._key_id)
        metadata = {"encoding": ENCRYPTED, "encryption-cipher": CIPHER, "encryption-key-id": self._key_id}
        return Payload(metadata=metadata, data=data)

    def _decrypt(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCRYPTED:
            raise PayloadRefused("A Temporal payload is not encrypted; only encrypted ones are read.")
        key_id = payload.metadata.get("encryption-key-id")
        if key_id != self._key_id:
            raise PayloadRefused(
                f"A Temporal payload is encrypted with key {key_id!r}, not {self._key_id!r}."
            )
        nonce, data = payload.data[:NONCE_BYTES], payload.data[NONCE_BYTES:]
        try:
            return Payload.FromString(self._cipher.decrypt(nonce, data, self._key_id))
        except InvalidTag:
            raise PayloadRefused("A Temporal payload was changed after it was encrypted.") from None


def data_converter(payload_key: str) -> DataConverter:
    """Pydantic models, encrypted; failures' messages and traces too. `payload_key` is base64 of 32 bytes."""
    return replace(
        pydantic_data_converter,
        payload_codec=EncryptingCodec(base64.b64decode(payload_key, validate=True)),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )
