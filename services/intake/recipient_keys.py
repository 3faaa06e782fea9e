"""Encryption to whoever is to read an identifier: JWE (RFC 7516), ECDH-ES with A256GCM, compact."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from joserfc.jwk import ECKey, OKPKey, import_key

KEY_AGREEMENT: Final = "ECDH-ES"
CONTENT_ENCRYPTION: Final = "A256GCM"
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
PARTY_BYTES: Final = 16

RecipientKey = OKPKey | ECKey


class RecipientKeys:
    """Public keys by recipient, parsed once: parsing costs more than encrypting."""

    def __init__(self, keys: Mapping[str, RecipientKey]) -> None:
        self._keys = dict(keys)

    @classmethod
    def from_file(cls, path: Path) -> RecipientKeys:
        """Read a JWKS whose `kid` names the recipient. Raises OSError or ValueError; private keys are refused."""
        keys: dict[str, RecipientKey] = {}
        items: list[dict[str, Any]] = json.loads(path.read_text())["keys"]
        for item in items:
            key = import_key(item)
            if not isinstance(key, OKPKey | ECKey) or not key.kid or key.is_private:
                raise ValueError(f"{path}: recipient keys are public OKP or EC keys, each with a kid.")
            keys[key.kid] = key
        return cls(keys)

    def __contains__(self, recipient: str) -> bool:
        return recipient in self._keys

    def agree(self, recipient: str) -> Agreement:
        """A new key agreement with a recipient, for the messages of one request. Raises KeyError where unknown."""
        return Agreement(recipient, self._keys[recipient])


class Agreement:
    """One key agreement (RFC 7518, 4.6) and the messages sealed by it.

    The agreement is what costs, so a request's messages share it. Each is encrypted with a key of its own all the
    same: derived with random PartyUInfo (`apu`), as the RFC provides.
    """

    def __init__(self, recipient: str, key: RecipientKey) -> None:
        ephemeral = type(key).generate_key(key.curve_name, private=True)  # pyright: ignore[reportArgumentType]
        self._shared = ephemeral.exchange_derive_key(key)  # pyright: ignore[reportArgumentType] # of the same type
        self._header: dict[str, Any] = {
            "alg": KEY_AGREEMENT, "enc": CONTENT_ENCRYPTION, "kid": recipient, "epk": ephemeral.as_dict(private=False),
        }

    def encrypt(self, plaintext: bytes) -> str:
        """A compact JWE that only the recipient can open."""
        party, nonce = os.urandom(PARTY_BYTES), os.urandom(NONCE_BYTES)
        header = _base64url(orjson.dumps({**self._header, "apu": _base64url(party)}))
        sealed = AESGCM(self._content_key(party)).encrypt(nonce, plaintext, header.encode())
        ciphertext, tag = sealed[:-TAG_BYTES], sealed[-TAG_BYTES:]
        return f"{header}..{_base64url(nonce)}.{_base64url(ciphertext)}.{_base64url(tag)}"

    def _content_key(self, party: bytes) -> bytes:
        # Concat KDF: AlgorithmID, PartyUInfo and an empty PartyVInfo with their lengths, SuppPubInfo in bits.
        fields = (CONTENT_ENCRYPTION.encode(), party, b"")
        info = b"".join(len(part).to_bytes(4, "big") + part for part in fields) + (KEY_BYTES * 8).to_bytes(4, "big")
        return ConcatKDFHash(SHA256(), KEY_BYTES, info).derive(self._shared)


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
