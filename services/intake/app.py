"""The process of intake: `python -m services.intake.app`."""

from __future__ import annotations

from services.intake.api import router
from services.intake.consumers import consumers
from services.intake.settings import IntakeSettings
from services.runtime.process import Service, run

service = Service(name="intake", settings=IntakeSettings, routers=[router], consumers=consumers)

if __name__ == "__main__":
    run(service)
