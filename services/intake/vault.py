"""The vault: identifiers encrypted field by field, and a keyed blind index to recognise a person again."""

from __future__ import annotations

import hashlib
import hmac
import os
from enum import StrEnum
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12


class KeptField(StrEnum):
    """What the vault keeps. Those of contracts' VaultField may leave it, sealed; the rest never does."""

    NAME = "name"
    IDENTITY_NUMBER = "identity_number"
    PHONE = "phone"
    BANK_ACCOUNT = "bank_account"
    ELECTRICITY_ACCOUNT = "electricity_account"
    BANK_NAME = "bank_name"
    REGISTERED_ADDRESS = "registered_address"
    LIVING_ADDRESS = "living_address"
    SIGNED_NAME = "signed_name"
    EVENT_DESCRIPTION = "event_description"
    ON_BEHALF_REASON = "on_behalf_reason"
    ON_BEHALF_RELATION = "on_behalf_relation"


class WrongVaultKey(Exception):
    """The entry was encrypted with another key than the one that is set."""


class Vault:
    """Encrypts, decrypts and recognises. AES-256-GCM with a random nonce; HMAC-SHA256 for what is compared."""

    def __init__(self, key: bytes, blind_index_key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._blind_index_key = blind_index_key
        self.key_id: Final = hashlib.sha256(b"vault key id" + key).hexdigest()[:16]
        """Names the key without telling anything about it."""

    def encrypt(self, case_id: UUID, person_id: UUID, field: KeptField, text: str) -> bytes:
        """Nonce and ciphertext of one field."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, text.encode(), _context(case_id, person_id, field))

    def decrypt(self, case_id: UUID, person_id: UUID, field: KeptField, key_id: str, ciphertext: bytes) -> str:
        """The text again. Raises WrongVaultKey, or InvalidTag where the entry was altered or moved."""
        if key_id != self.key_id:
            raise WrongVaultKey(f"An entry needs key {key_id}; key {self.key_id} is set. Set the key it needs.")
        nonce, encrypted = ciphertext[:NONCE_BYTES], ciphertext[NONCE_BYTES:]
        return self._cipher.decrypt(nonce, encrypted, _context(case_id, person_id, field)).decode()

    def blind_index(self, identity_number: str) -> bytes:
        """The same bytes for the same (normalised) identity number, and of no use without the key."""
        return self._keyed(b"identity number", identity_number.encode())

    def fingerprint(self, body: bytes) -> bytes:
        """Recognises a request body.

        Hazard: a plain hash would not do. The body holds little that cannot be guessed, so without a key its
        identity numbers could be found by trying.
        """
        return self._keyed(b"request body", body)

    def _keyed(self, purpose: bytes, content: bytes) -> bytes:
        return hmac.digest(self._blind_index_key, purpose + b"\x00" + content, "sha256")


def _context(case_id: UUID, person_id: UUID, field: KeptField) -> bytes:
    # Bound into the ciphertext, so that an entry copied to another person or field does not open.
    return case_id.bytes + person_id.bytes + field.value.encode()
