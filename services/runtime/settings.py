"""Settings of a process: `ONETHING_*` environment variables, frozen, unknown keys refused, secrets without default."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "ONETHING_"


class SettingsError(Exception):
    """The environment cannot be used; the message says which key and what to do."""


class ProcessSettings(BaseSettings):
    """What every process needs, the workflow worker too."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    env: Literal["production", "demo"] = "production"
    database_dsn: str = Field(repr=False, description="postgresql://role:password@host:port/database")
    temporal_address: str
    temporal_namespace: str = "onething"
    http_host: str = "127.0.0.1"
    http_port: int = Field(ge=1, le=65535)
    payload_key: str = Field(repr=False, description="base64 of 32 bytes: encrypts Temporal payloads")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"


class RuntimeSettings(ProcessSettings):
    """What every service needs besides."""

    kafka_bootstrap: str = Field(description="host:port[,host:port…]")
    trusted_keys_file: Path = Field(description="JWKS of public keys; kid = issuer: `idp` or a service's name")
    signing_key_file: Path = Field(description="private JWK of this service")


SettingsT = TypeVar("SettingsT", bound=BaseSettings)


def load(kind: type[SettingsT]) -> SettingsT:
    """Read the settings from the environment. Raises SettingsError, naming the key but never its value."""
    known = {f"{PREFIX}{name}".upper() for name in kind.model_fields}
    unknown = sorted(key for key in os.environ if key.upper().startswith(PREFIX) and key.upper() not in known)
    if unknown:
        raise SettingsError(
            f"{unknown[0]}: {kind.__name__} knows no such setting. Remove it, or correct its spelling."
        )
    try:
        return kind()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        key = PREFIX + ".".join(str(part) for part in first["loc"]).upper()
        raise SettingsError(f"{key}: {first['msg']}. Set it as {kind.__name__} describes.") from None
