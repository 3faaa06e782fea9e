"""Events in: coordination follows every event of the other services. Its own it knows when it records them."""

from __future__ import annotations

from contracts.catalogue import CATALOGUE, COORDINATION
from services.coordination.follow_case import follow_case
from services.runtime.consumer import Consumers

consumers = Consumers(COORDINATION, gathers=True)

for entry in CATALOGUE:
    reads = any(grant.reader == COORDINATION for grant in entry.grants)
    if reads and entry.topic.owner != COORDINATION:
        consumers.on(entry.model)(follow_case)
