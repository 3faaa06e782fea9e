"""The process of verification."""

from __future__ import annotations

from services.runtime.process import Service, run
from services.verification.api import router
from services.verification.ask_sources import LOOP
from services.verification.consumers import consumers
from services.verification.settings import VerificationSettings

service = Service("verification", VerificationSettings, [router], consumers, loops=[LOOP])

if __name__ == "__main__":
    run(service)
