"""Runs a module as a program and, between SIGUSR1 and SIGUSR2, samples what its processor time goes to.

    python -m benchmarks.harness.sampled services.approval.app samples.json

A timer of the operating system that runs only while the process computes interrupts the main thread every 5 ms
of processor time; waiting is never sampled. A sampling thread would see mostly the moments in which the main
thread gives the interpreter up, which are not where its time goes. SIGUSR2 writes the file.
"""

from __future__ import annotations

import json
import runpy
import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

import greenlet

from benchmarks.harness.categories import category, is_ours, place

INTERVAL_SECONDS = 0.005
EVENT_LOOP = "(event loop and libraries)"


class Sampler:
    """Counts of one process: by category, by our innermost function, by our functions anywhere, by stack."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._clear()

    def install(self) -> None:
        """Wait for the signals."""
        signal.signal(signal.SIGUSR1, self._begin)
        signal.signal(signal.SIGUSR2, self._end)
        signal.signal(signal.SIGPROF, self._sample)

    def _clear(self) -> None:
        self.samples = 0
        self.categories: Counter[str] = Counter()
        self.itself: Counter[str] = Counter()
        self.innermost: Counter[str] = Counter()
        self.on_stack: Counter[str] = Counter()
        self.stacks: Counter[str] = Counter()

    def _begin(self, _number: int, _frame: FrameType | None) -> None:
        self._clear()
        signal.setitimer(signal.ITIMER_PROF, INTERVAL_SECONDS, INTERVAL_SECONDS)

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        counts: dict[str, Any] = {
            "samples": self.samples, "categories": self.categories, "itself": self.itself,
            "on_stack": self.on_stack, "innermost": self.innermost, "stacks": self.stacks,
        }
        beside = self._file.with_suffix(".new")
        beside.write_text(json.dumps(counts))
        beside.replace(self._file)

    def _sample(self, _number: int, frame: FrameType | None) -> None:
        stack = _stack(frame)
        self.samples += 1
        self.categories[category(stack)] += 1
        ours = [place(*entry) for entry in stack if is_ours(*entry)]
        self.itself[ours[0] if ours else EVENT_LOOP] += 1
        self.innermost[place(*stack[0])] += 1
        self.on_stack.update(set(ours))
        self.stacks[";".join(place(*entry) for entry in reversed(stack))] += 1


def _stack(frame: FrameType | None) -> list[tuple[str, str]]:
    """(file, function) from the innermost frame out, through SQLAlchemy's greenlets."""
    stack: list[tuple[str, str]] = []
    switched = greenlet.getcurrent()
    while frame is not None or switched is not None:
        while frame is not None:
            stack.append((frame.f_code.co_filename, frame.f_code.co_qualname))
            frame = frame.f_back
        switched = switched.parent if switched is not None else None
        frame = switched.gr_frame if switched is not None else None
    return stack


def main() -> None:
    """Run the module named first; the samples go to the file named second."""
    module, file = sys.argv[1:]
    Sampler(Path(file)).install()
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
