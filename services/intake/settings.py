"""Settings of intake: the vault's keys, and whom identifiers may be encrypted to."""

from __future__ import annotations

from base64 import b64decode
from functools import cached_property
from typing import cast

from pydantic import Field, FilePath, field_validator

from services.intake.recipient_keys import RecipientKeys
from services.intake.vault import KEY_BYTES, Vault
from services.runtime.context import Runtime
from services.runtime.settings import RuntimeSettings


class IntakeSettings(RuntimeSettings):
    """The keys of the vault stay in this process: no other service has them."""

    vault_key: str = Field(repr=False, description="base64 of 32 bytes: encrypts identifiers")
    blind_index_key: str = Field(repr=False, description="base64 of 32 bytes: recognises identifiers")
    recipient_keys_file: FilePath = Field(description="JWKS of public encryption keys; kid = recipient")

    @field_validator("vault_key", "blind_index_key")
    @classmethod
    def _is_a_key(cls, value: str) -> str:
        if len(b64decode(value, validate=True)) != KEY_BYTES:
            raise ValueError(f"needs base64 of {KEY_BYTES} bytes")
        return value

    @cached_property
    def vault(self) -> Vault:
        """The vault with these keys."""
        return Vault(b64decode(self.vault_key), b64decode(self.blind_index_key))

    @cached_property
    def recipients(self) -> RecipientKeys:
        """The recipients' public keys, parsed once. Raises OSError or ValueError for a file that is not usable."""
        return RecipientKeys.from_file(self.recipient_keys_file)


def settings_of(runtime: Runtime) -> IntakeSettings:
    """Intake's own settings of the running process."""
    return cast(IntakeSettings, runtime.settings)
