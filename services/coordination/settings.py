"""Settings of coordination."""

from __future__ import annotations

from pydantic import Field

from services.runtime.settings import RuntimeSettings


class CoordinationSettings(RuntimeSettings):
    """What coordination needs beyond what every service needs."""

    intake_url: str = Field(description="Intake's vault encrypts identifiers to a department's key.")
