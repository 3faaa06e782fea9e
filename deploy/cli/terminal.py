"""How the commands speak: results on stdout, everything else on stderr."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from deploy.local.infrastructure import COMPONENTS
from deploy.local.process_table import PROCESSES

# A file or a pipe has no width of its own; 80 columns would break the tables.
out = Console(width=None if sys.stdout.isatty() else 160)
err = Console(stderr=True, highlight=False)


def refuse(sentence: str) -> None:
    """Say why the command does not do what was asked."""
    err.print(sentence, style="red", soft_wrap=True, markup=False)


def print_json(value: Any) -> None:
    """The machine-readable answer, and nothing else, on stdout."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str))


class StartProgress:
    """A bar over the parts of the stack that are ready; plain lines where there is no terminal."""

    def __init__(self, bar: Progress, *, infrastructure_only: bool) -> None:
        self._bar = bar
        self._parts = set(COMPONENTS) | (set() if infrastructure_only else {entry.name for entry in PROCESSES})
        self._ready: set[str] = set()
        self._task = bar.add_task("Starting", total=len(self._parts))

    def __call__(self, name: str, state: str) -> None:
        if name not in self._parts or (state == "ready") == (name in self._ready):
            return
        if state == "ready":
            self._ready.add(name)
            if not err.is_terminal:
                err.print(f"  ready: {name}")
        else:
            self._ready.discard(name)
        waiting = ", ".join(sorted(self._parts - self._ready)[:4])
        self._bar.update(self._task, completed=len(self._ready), description=f"Starting {waiting}"[:60])


@contextmanager
def start_progress(*, infrastructure_only: bool = False) -> Iterator[StartProgress]:
    """Show how the stack comes up."""
    columns = (SpinnerColumn(), TextColumn("{task.description:<60}"), BarColumn(24), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=err, transient=True) as bar:
        yield StartProgress(bar, infrastructure_only=infrastructure_only)
