"""The process of coordination: `python -m services.coordination.app`."""

from __future__ import annotations

from contracts.catalogue import COORDINATION
from services.coordination import follow_leaps, forget_signals, undecided_small_sums
from services.coordination.activities import CoordinationActivities
from services.coordination.api import router
from services.coordination.bridge import Bridge
from services.coordination.consumers import consumers
from services.coordination.settings import CoordinationSettings
from services.coordination.touched_workflows import TouchedWorkflows
from services.coordination.watch_workflows import WorkflowWatch
from services.runtime.process import Service, run

touched = TouchedWorkflows()

service = Service(
    COORDINATION,
    CoordinationSettings,
    routers=[router],
    consumers=consumers,
    activities=lambda runtime: CoordinationActivities(runtime, touched).all,
    loops=[Bridge(touched).loop(), follow_leaps.LOOP, undecided_small_sums.LOOP, WorkflowWatch().loop(),
           forget_signals.LOOP],
)

if __name__ == "__main__":
    run(service)
