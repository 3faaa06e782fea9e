"""Signed tokens (JWT, Ed25519): who calls, in what role, for which place. Token times are machine time."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from services.runtime.problems import Problem

ALGORITHM = "Ed25519"  # RFC 9864: EdDSA with its curve named
IDENTITY_PROVIDER = "idp"
EVERYWHERE = "*"
SERVICE = "service"
PEOPLE = frozenset(
    {"citizen", "helper", "officer", "investigator", "department", "operator", "keeper", "actor"}
)
SEES_EVERY_PLACE = frozenset({SERVICE, "operator"})
LEEWAY_SECONDS = 30
SERVICE_TOKEN_MAX = timedelta(hours=1)
SERVICE_TOKEN_LIFETIME = timedelta(minutes=10)
SERVICE_TOKEN_REUSED_SECONDS = 60
VERIFIED_TOKENS_KEPT = 1_000
SUBJECT_MAX_LENGTH = 128

# Hazard: the jurisdiction becomes a LIKE pattern in row level security; anything but digits could widen it.
JURISDICTION = re.compile(r"[0-9]{4,12}", re.ASCII)


class TokenRefused(Exception):
    """The token proves nothing. The message says why and never contains the token."""


@dataclass(frozen=True)
class Caller:
    """Who is calling, as their token proves it."""

    subject: str
    role: str
    jurisdiction: str | None = None
    purpose: str | None = None
    department: str | None = None

    @property
    def scope(self) -> str:
        """The jurisdiction whose rows this caller may read; raises Problem 403 where there is none."""
        if self.jurisdiction is not None:
            return self.jurisdiction
        if self.role in SEES_EVERY_PLACE:
            return EVERYWHERE
        raise Problem(403, "no_jurisdiction", f"Role {self.role} has no place of its own to look into.")

    def may_see(self, jurisdiction: str) -> bool:
        """True where `jurisdiction` lies within the caller's own (a county sees its towns)."""
        if self.jurisdiction is None:
            return self.role in SEES_EVERY_PLACE
        return jurisdiction.startswith(self.jurisdiction)


class TokenSigner:
    """Signs with one private key; its `kid` is the issuer. Only `idp` speaks for people."""

    def __init__(self, key: OKPKey) -> None:
        if not key.kid or not key.is_private:
            raise ValueError("A signing key is a private JWK whose kid names the issuer.")
        self._key = key
        self.issuer = key.kid
        self._service_tokens: dict[str, tuple[str, float]] = {}
        """Audience → token and until when it is used again."""

    @classmethod
    def from_file(cls, path: Path) -> TokenSigner:
        """Read a private JWK. Raises OSError or ValueError."""
        return cls(OKPKey.import_key(json.loads(path.read_text())))

    def service_token(self, audience: str) -> str:
        """A short token of this very service for one other service, at most a minute old."""
        token, used_until = self._service_tokens.get(audience, ("", 0.0))
        now = time.time()
        if not now < used_until <= now + SERVICE_TOKEN_REUSED_SECONDS:  # nor where the clock was set back
            token = self._sign({"sub": self.issuer, "role": SERVICE, "aud": audience}, SERVICE_TOKEN_LIFETIME)
            self._service_tokens[audience] = token, now + SERVICE_TOKEN_REUSED_SECONDS
        return token

    def person_token(self, caller: Caller, *, lifetime: timedelta, audience: str | None = None) -> str:
        """A token for a person or department. Raises ValueError for any other key than `idp`."""
        if self.issuer != IDENTITY_PROVIDER or caller.role not in PEOPLE:
            raise ValueError(f"Key {self.issuer!r} may not sign for role {caller.role!r}.")
        claims = {
            "sub": caller.subject,
            "role": caller.role,
            "jurisdiction": caller.jurisdiction,
            "purpose": caller.purpose,
            "department": caller.department,
            "aud": audience,
        }
        return self._sign({name: value for name, value in claims.items() if value is not None}, lifetime)

    def _sign(self, claims: Mapping[str, Any], lifetime: timedelta) -> str:
        now = int(time.time())
        times = {"iss": self.issuer, "iat": now, "exp": now + int(lifetime.total_seconds())}
        return jwt.encode({"alg": ALGORITHM, "kid": self.issuer}, {**claims, **times}, self._key, [ALGORITHM])


class TokenVerifier:
    """Verifies tokens against the trusted public keys (`kid` = issuer) for one audience: this service."""

    def __init__(self, trusted_keys: Mapping[str, OKPKey], audience: str) -> None:
        self._keys = dict(trusted_keys)
        self._audience = audience
        self._verified: dict[str, tuple[Caller, float]] = {}
        """Tokens that were valid, the oldest first: the caller, and when the token expires."""

    @classmethod
    def from_file(cls, path: Path, audience: str) -> TokenVerifier:
        """Read a JWKS of public keys. Raises OSError or ValueError; a private key among them is refused."""
        keys = [OKPKey.import_key(item) for item in json.loads(path.read_text())["keys"]]
        if any(key.is_private or not key.kid for key in keys):
            raise ValueError(f"{path}: trusted keys are public keys, each with a kid.")
        return cls({cast(str, key.kid): key for key in keys}, audience)

    def verify(self, token: str) -> Caller:
        """The caller this token proves. Raises TokenRefused.

        Of a token that was valid before only its expiry can have changed: the keys stand until the process ends.
        """
        caller, expires_at = self._verified.get(token, (None, 0.0))
        if caller is None or time.time() >= expires_at:
            caller, expires_at = self._prove(token)
            if len(self._verified) >= VERIFIED_TOKENS_KEPT:
                del self._verified[next(iter(self._verified))]
            self._verified[token] = caller, expires_at
        return caller

    def _prove(self, token: str) -> tuple[Caller, float]:
        """The caller, and when the token expires (Unix seconds)."""
        try:
            decoded = jwt.decode(token, self._key_of, [ALGORITHM])
            claims = decoded.claims
            self._registry().validate(claims)
        except (JoseError, ValueError, TypeError) as error:
            raise TokenRefused(f"token not valid ({type(error).__name__})") from None
        # Hazard: the key proves the kid only; without this line one issuer could write another's name.
        if claims["iss"] != decoded.header["kid"]:
            raise TokenRefused("the issuer is not the owner of the key")
        return self._caller(claims), float(claims["exp"])

    def _key_of(self, token: Any) -> OKPKey:
        key = self._keys.get(str(token.headers().get("kid")))
        if key is None:
            raise ValueError("issuer not trusted")
        return key

    def _registry(self) -> jwt.JWTClaimsRegistry:
        return jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True},
            sub={"essential": True},
            role={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            aud={"value": self._audience},
        )

    def _caller(self, claims: Mapping[str, Any]) -> Caller:
        texts = {name: claims.get(name) for name in ("sub", "role", "jurisdiction", "purpose", "department")}
        if any(value is not None and not isinstance(value, str) for value in texts.values()):
            raise TokenRefused("a claim is not text")
        # Hazard: PostgreSQL's text takes no NUL, and a log no line break.
        if not all(value.isprintable() for value in texts.values() if isinstance(value, str)):
            raise TokenRefused("a claim holds what cannot be printed")
        caller = Caller(
            str(texts["sub"]),
            str(texts["role"]),
            texts["jurisdiction"],
            texts["purpose"],
            texts["department"],
        )
        if len(caller.subject) > SUBJECT_MAX_LENGTH:
            raise TokenRefused("subject too long")
        if caller.jurisdiction is not None and not JURISDICTION.fullmatch(caller.jurisdiction):
            raise TokenRefused("jurisdiction is not a place code")
        self._check_role(caller, claims)
        return caller

    def _check_role(self, caller: Caller, claims: Mapping[str, Any]) -> None:
        if claims["iss"] == IDENTITY_PROVIDER:
            if caller.role not in PEOPLE:
                raise TokenRefused(f"the identity provider does not speak for role {caller.role}")
        else:
            # Hazard: a stolen service key must not become an officer, nor another service, nor last.
            lifetime_seconds = claims["exp"] - claims["iat"]
            if caller.role != SERVICE or caller.subject != claims["iss"]:
                raise TokenRefused("a service key speaks only for its own service")
            if claims.get("aud") is None or lifetime_seconds > SERVICE_TOKEN_MAX.total_seconds():
                raise TokenRefused("a service token needs an audience and at most one hour")
        if caller.role in ("officer", "investigator") and caller.jurisdiction is None:
            raise TokenRefused("an officer has a jurisdiction")
        if caller.role == "department" and caller.department is None:
            raise TokenRefused("a department has a code")
