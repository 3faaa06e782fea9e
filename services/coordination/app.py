"""The process of coordination: `python -m services.coordination.app`."""

from __future__ import annotations

from contracts.catalogue import COORDINATION
from services.coordination import follow_leaps, forget_signals
from services.coordination.activities import CoordinationActivities
from services.coordination.api import router
from services.coordination.bridge import Bridge
from services.coordination.consumers import consumers
from services.coordination.settings import CoordinationSettings
from services.coordination.touched_workflows import TouchedWorkflows
from services.runtime.process import Service, run

touched = TouchedWorkflows()

service = Service(
    COORDINATION,
    CoordinationSettings,
    routers=[router],
    consumers=consumers,
    activities=lambda runtime: CoordinationActivities(runtime, touched).all,
    loops=[Bridge(touched).loop(), follow_leaps.LOOP, forget_signals.LOOP],
)

if __name__ == "__main__":
    run(service)
