"""The newest run of each measure, kept in the repository beside the page that shows it."""

from __future__ import annotations

import platform
from datetime import date
from pathlib import Path

import psutil
from pydantic import BaseModel, RootModel

from benchmarks.result import Result
from benchmarks.tables import FUNCTIONS_SHOWN

DOCS = Path(__file__).parents[1] / "docs"
RESULTS_FILE = DOCS / "benchmarks" / "results.json"
BYTES_PER_GB = 10**9


class Machine(BaseModel):
    """What the measures ran on; nothing that would tell whose it is."""

    cores: int
    memory_gb: int
    processor: str
    python: str


class Run(BaseModel):
    """One run of one measure."""

    command: str
    measured_on: date
    machine: Machine
    result: Result

    @classmethod
    def of(cls, command: str, result: Result) -> Run:
        """A run that has just ended on this machine, with as much of its samples as the page shows."""
        of_note = {name: samples.of_note(FUNCTIONS_SHOWN) for name, samples in result.samples.items()}
        machine = Machine(
            cores=psutil.cpu_count() or 1, memory_gb=round(psutil.virtual_memory().total / BYTES_PER_GB),
            processor=platform.machine(), python=platform.python_version(),
        )
        return cls(command=command, measured_on=date.today(),  # noqa: DTZ011  # the day of whoever measures
                   machine=machine, result=result.model_copy(update={"samples": of_note}))


class Runs(RootModel[dict[str, Run]]):
    """By measure."""


def kept() -> dict[str, Run]:
    """The newest run of each measure; of none where nothing was kept yet."""
    return Runs.model_validate_json(RESULTS_FILE.read_bytes()).root if RESULTS_FILE.exists() else {}


def keep(measure: str, run: Run) -> None:
    """Put a run in the place of the one before."""
    RESULTS_FILE.parent.mkdir(parents=True, exist_ok=True)
    RESULTS_FILE.write_text(Runs(root={**kept(), measure: run}).model_dump_json(indent=1) + "\n")
