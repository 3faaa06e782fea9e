"""Keys and passwords made at first start, kept in `secrets/` readable by their owner only."""

import json
import os
import secrets
from base64 import b64encode
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from joserfc.jwk import KeySet, OKPKey

from deploy.local.problem import disk_problem

SERVICES = ("intake", "verification", "approval", "disbursement", "coordination")
ISSUERS = ("idp", *SERVICES, "workflows", "keeper")
SOURCES = (
    "social_security",
    "medical_insurance",
    "bank",
    "vehicles",
    "property",
    "disability",
    "civil_registry",
)
KEY_HOLDERS = {
    "sources": tuple(f"source:{source}" for source in SOURCES),
    "bank": ("bank",),
    "electricity": ("department:electricity",),
}
RECIPIENTS = tuple(recipient for held in KEY_HOLDERS.values() for recipient in held)
DATABASE_ROLES = ("admin", *SERVICES, "workflows", "keeper")
SYMMETRIC_KEYS = ("PAYLOAD_KEY", "VAULT_KEY", "BLIND_INDEX_KEY")


class SecretStore:
    """The secrets of one world. `create()` makes what is missing and keeps what is there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def trusted_keys_file(self) -> Path:
        """JWKS of every issuer's public key; kid = issuer."""
        return self.folder / "trusted_keys.json"

    @property
    def recipient_keys_file(self) -> Path:
        """JWKS of every recipient's public encryption key; kid = recipient."""
        return self.folder / "recipient_keys.json"

    def signing_key_file(self, issuer: str) -> Path:
        """Private Ed25519 JWK of an issuer."""
        return self.folder / "signing" / f"{issuer}.json"

    def decryption_key_file(self, recipient: str) -> Path:
        """Private X25519 JWK of a recipient."""
        return self.folder / "decryption" / f"{recipient.replace(':', '_')}.json"

    def private_keys_file(self, holder: str) -> Path:
        """JWKS of the private keys of one of KEY_HOLDERS: one sandbox process plays all data sources."""
        return self.folder / "decryption" / f"held_by_{holder}.json"

    def key_file(self, setting: str, name: str) -> Path:
        """The file that a process is given under one of the settings that end in `_FILE`."""
        match setting:
            case "TRUSTED_KEYS_FILE":
                return self.trusted_keys_file
            case "RECIPIENT_KEYS_FILE":
                return self.recipient_keys_file
            case "SIGNING_KEY_FILE":
                return self.signing_key_file(name)
            case "IDP_KEY_FILE":
                return self.signing_key_file("idp")
            case "RECIPIENT_PRIVATE_KEYS_FILE":
                return self.private_keys_file(name)
            case _:
                raise ValueError(f"No key file is known for the setting {setting}.")

    def symmetric_key(self, name: str) -> str:
        """One of SYMMETRIC_KEYS: base64 of 32 random bytes."""
        return (self.folder / name.lower()).read_text()

    def database_password(self, role: str) -> str:
        return (self.folder / f"database_{role}").read_text()

    def create(self) -> None:
        """Make what is missing; every file is 0600 from its first byte."""
        try:
            for folder in (self.folder, self.folder / "signing", self.folder / "decryption"):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name in SYMMETRIC_KEYS:
                _write_once(self.folder / name.lower(), b64encode(secrets.token_bytes(32)).decode())
            for role in DATABASE_ROLES:
                _write_once(self.folder / f"database_{role}", secrets.token_urlsafe(24))
            self._create_keys("Ed25519", {issuer: self.signing_key_file(issuer) for issuer in ISSUERS})
            self._create_keys("X25519", {name: self.decryption_key_file(name) for name in RECIPIENTS})
            self._write_key_sets()
        except OSError as error:
            raise disk_problem(error) or error from error

    def _create_keys(self, curve: Any, files: dict[str, Path]) -> None:
        use: Any = "sig" if curve == "Ed25519" else "enc"
        for owner, file in files.items():
            if not file.exists():
                key = OKPKey.generate_key(curve, parameters={"kid": owner, "use": use})
                _write_once(file, json.dumps(key.as_dict(private=True)))

    def _write_key_sets(self) -> None:
        signing = [_read_key(self.signing_key_file(issuer)) for issuer in ISSUERS]
        decryption = {name: _read_key(self.decryption_key_file(name)) for name in RECIPIENTS}
        # Written anew each time: they follow from the keys, of which a later version may know more.
        _write(self.trusted_keys_file, _key_set(signing, private=False))
        _write(self.recipient_keys_file, _key_set(decryption.values(), private=False))
        for holder, held in KEY_HOLDERS.items():
            keys = [decryption[recipient] for recipient in held]
            _write(self.private_keys_file(holder), _key_set(keys, private=True))


def _key_set(keys: Iterable[OKPKey], *, private: bool) -> str:
    return json.dumps(KeySet(list(keys)).as_dict(private=private))


def _read_key(file: Path) -> OKPKey:
    return OKPKey.import_key(json.loads(file.read_text()))


def _write_once(file: Path, content: str) -> None:
    if not file.exists():
        _write(file, content)


def _write(file: Path, content: str) -> None:
    beside = file.with_name(f"{file.name}.new")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(content)
    beside.replace(file)
