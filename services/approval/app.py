"""The process `approval`: `python -m services.approval.app`."""

from __future__ import annotations

from services.approval.activities import activities
from services.approval.api import router
from services.approval.consumers import consumers
from services.approval.settings import ApprovalSettings
from services.runtime.process import Service, run

SERVICE = Service(
    name="approval", settings=ApprovalSettings, routers=[router], consumers=consumers, activities=activities
)

if __name__ == "__main__":
    run(SERVICE)
