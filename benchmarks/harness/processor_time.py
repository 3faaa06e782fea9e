"""Processor time from outside: of named processes with their children, and of everybody else."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Used:
    """Processor seconds by process, and the share of the machine that went to others."""

    cpu_seconds: dict[str, float]
    others_percent: float
    available_seconds: float
    """Of all processors together, while it was measured."""

    def others_without(self, cpu_seconds: float) -> float:
        """The share of others, where so many processor seconds of theirs were a program of the benchmark's own."""
        return max(0.0, self.others_percent - 100 * cpu_seconds / self.available_seconds)


class CpuMeter:
    """Processor time that named processes, with their children, use between two readings."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._processes = {name: psutil.Process(pid) for name, pid in pids.items()}
        self._began_at = time.monotonic()
        self._machine = _machine_seconds()
        self._before = self._read()

    def used(self) -> Used:
        """What was used since the start, user and system together."""
        now = self._read()
        ours = {
            name: sum(max(0.0, seconds - self._before[name].get(pid, 0.0)) for pid, seconds in read.items())
            for name, read in now.items()
        }
        available = (time.monotonic() - self._began_at) * (psutil.cpu_count() or 1)
        others = max(0.0, _machine_seconds() - self._machine - sum(ours.values()))
        return Used(ours, 100 * others / available, available)

    def _read(self) -> dict[str, dict[int, float]]:
        return {name: dict(map(_cpu_seconds, _family(process))) for name, process in self._processes.items()}


def _machine_seconds() -> float:
    times = psutil.cpu_times()
    # Hazard: what runs with lowered priority is no part of `user`.
    return times.user + getattr(times, "nice", 0.0) + times.system


def _family(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _cpu_seconds(process: psutil.Process) -> tuple[int, float]:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return process.pid, 0.0
    return process.pid, times.user + times.system
