"""Which cell of which table of docs/faults.md a test fills. Mark the test; no code of its own is needed.

    POISON = Table("Poison", rows="bad record", columns="topic", about="Each ends in the dead letters …")

    @pytest.mark.parametrize("topic", TOPICS)
    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.cell(POISON, row="{kind.name}", column="{topic}")
    async def test_…(kind, topic): …

`row`, `column` and `says` are format strings over the test's parameters. A cell that holds shows `says` (✓ if not
given). Several tests, and several marks on one test, may fill a cell: it holds when all of them pass.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from deploy.local.world import WORLDS_FOLDER

RESULTS_FILE = WORLDS_FOLDER / "faults.json"
"""Nodes and what became of them, added up over the runs of pytest since `make faults` began."""
HOLDS = "✓"
BROKEN = "✗"
NOT_RUN = "not run"


class Table(NamedTuple):
    """A table of the page: its title, what its rows and columns are, and a paragraph about it."""

    title: str
    rows: str
    columns: str = ""
    about: str = ""


@dataclass(frozen=True)
class Cell:
    """A place in a table, and the test that fills it."""

    table: Table
    row: str
    column: str
    says: str
    node: str


class Marked(Protocol):
    """What is needed of a collected test."""

    nodeid: str

    def iter_markers(self, name: str) -> Iterable[Any]: ...


def cells_of(item: Marked) -> list[Cell]:
    """The cells that a collected test fills. Raises TypeError for a mark that is not a cell."""
    callspec = getattr(item, "callspec", None)
    parameters: dict[str, Any] = callspec.params if callspec is not None else {}
    return [_cell(item.nodeid, parameters, *mark.args, **mark.kwargs) for mark in item.iter_markers("cell")]


def _cell(
    node: str, parameters: dict[str, Any], table: Table, *, row: str, column: str = "", says: str = HOLDS
) -> Cell:
    written = (text.format(**parameters) for text in (row, column or "holds", says))
    return Cell(table, *written, node)


def save_cells(file: Path, cells: Sequence[Cell]) -> None:
    """Write down what was collected, in its order."""
    file.write_text(json.dumps([asdict(cell) | {"table": cell.table} for cell in cells], ensure_ascii=False))


def load_cells(file: Path) -> list[Cell]:
    """What `save_cells` wrote."""
    return [Cell(**{**each, "table": Table(*each["table"])}) for each in json.loads(file.read_text())]


def outcomes() -> dict[str, str]:
    """Test → HOLDS, BROKEN or `skipped: why`, as far as any ran."""
    return json.loads(RESULTS_FILE.read_text()) if RESULTS_FILE.exists() else {}


def add_outcomes(new: dict[str, str]) -> None:
    """Add what this run found to what the runs before it found."""
    RESULTS_FILE.parent.mkdir(exist_ok=True)
    RESULTS_FILE.write_text(json.dumps(outcomes() | new, ensure_ascii=False, indent=1))
