"""Settings of approval."""

from __future__ import annotations

from services.runtime.settings import RuntimeSettings


class ApprovalSettings(RuntimeSettings):
    """Approval asks no other service: what every service needs is all it needs."""
