"""Settings of verification."""

from __future__ import annotations

from pydantic import Field

from contracts.benefits import Source
from services.runtime.settings import RuntimeSettings


class VerificationSettings(RuntimeSettings):
    """What verification needs beyond what every service needs."""

    intake_url: str = Field(description="Intake's vault encrypts identifiers to the sources' keys.")
    source_urls: dict[Source, str] = Field(
        description="JSON: data source → base address. A source without one is recorded as giving no answer."
    )
