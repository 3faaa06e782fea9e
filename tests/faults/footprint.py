"""How much a part of the stack holds: memory of its own, and descriptors of files and sockets."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

import psutil

from tests.journeys.city import City

BYTES_PER_MIB = 2**20


class Footprint(NamedTuple):
    """Of a process with all its children."""

    own_mib: int
    """Memory that nobody shares."""
    descriptors: int

    def largest(self, other: Footprint | None) -> Footprint:
        """The larger of both in each respect."""
        return self if other is None else Footprint(*map(max, self, other))


def footprints(city: City) -> dict[str, Footprint]:
    """Every part that runs, by name."""
    return {
        name: footprint(part.child.pid) for name, part in city.supervisor.parts.items()
        if part.child.alive and part.child.pid is not None
    }


def footprint(pid: int) -> Footprint:
    """One process with its children."""
    parent = psutil.Process(pid)
    own_bytes = descriptors = 0
    for process in (parent, *parent.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            own_bytes += process.memory_full_info().uss
            descriptors += process.num_fds()
    return Footprint(own_bytes // BYTES_PER_MIB, descriptors)
