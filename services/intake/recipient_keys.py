"""Encryption to whoever is to read an identifier: JWE (RFC 7516), ECDH-ES with A256GCM, compact."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from joserfc import jwe
from joserfc.jwk import ECKey, OKPKey, import_key

KEY_AGREEMENT: Final = "ECDH-ES"
CONTENT_ENCRYPTION: Final = "A256GCM"

RecipientKey = OKPKey | ECKey


class RecipientKeys:
    """Public keys by recipient, parsed once: parsing costs more than encrypting."""

    def __init__(self, keys: Mapping[str, RecipientKey]) -> None:
        self._keys = dict(keys)
        self._registry = jwe.JWERegistry(algorithms=[KEY_AGREEMENT, CONTENT_ENCRYPTION])

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

    def encrypt(self, recipient: str, plaintext: bytes) -> str:
        """A compact JWE that only the recipient can open. Raises KeyError for an unknown recipient."""
        header = {"alg": KEY_AGREEMENT, "enc": CONTENT_ENCRYPTION, "kid": recipient}
        return jwe.encrypt_compact(header, plaintext, self._keys[recipient], registry=self._registry)
