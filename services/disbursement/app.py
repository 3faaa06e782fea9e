"""The disbursement process."""

from __future__ import annotations

from services.disbursement.activities import activities
from services.disbursement.api import router
from services.disbursement.consumers import consumers
from services.disbursement.send_to_bank import loop
from services.disbursement.settings import DisbursementSettings
from services.runtime.process import Service, run

service = Service(
    name="disbursement",
    settings=DisbursementSettings,
    routers=[router],
    consumers=consumers,
    activities=activities,
    loops=[loop],
)

if __name__ == "__main__":
    run(service)
