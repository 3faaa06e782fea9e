"""The sandbox as identity provider: signed tokens for citizens, helpers, officers, departments and actors."""

from __future__ import annotations

import json
import time
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import OKPKey

VALID_SECONDS = 1800


class IdentityProvider:
    """Signs tokens with the key of `idp` that the demo makes at its first start."""

    def __init__(self, key_file: Path) -> None:
        self._key = OKPKey.import_key(json.loads(key_file.read_text()))

    def token(self, role: str, subject: str, *, jurisdiction: str | None = None, purpose: str | None = None,
              department: str | None = None) -> str:
        """A token for half an hour of machine time."""
        now = int(time.time())
        claims = {"iss": "idp", "sub": subject, "role": role, "iat": now, "exp": now + VALID_SECONDS,
                  "jurisdiction": jurisdiction, "purpose": purpose, "department": department}
        header = {"alg": "Ed25519", "kid": "idp"}
        return jwt.encode(header, {name: value for name, value in claims.items() if value is not None}, self._key,
                          algorithms=["Ed25519"])

    def headers(self, role: str, subject: str, *, jurisdiction: str | None = None, purpose: str | None = None,
                department: str | None = None) -> dict[str, str]:
        """The token as an Authorization header."""
        token = self.token(role, subject, jurisdiction=jurisdiction, purpose=purpose, department=department)
        return {"Authorization": f"Bearer {token}"}
