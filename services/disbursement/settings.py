"""Settings of disbursement."""

from __future__ import annotations

from services.runtime.settings import RuntimeSettings


class DisbursementSettings(RuntimeSettings):
    """Where the vault and the bank answer."""

    intake_url: str
    bank_url: str
