"""Writes docs/faults.md from what the tests of this folder found: `python -m tests.faults.page`.

Nothing in it depends on when or where they ran: while all holds, a new run changes nothing.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from deploy.local.world import PROJECT_ROOT
from tests.faults.tables import BROKEN, NOT_RUN, Cell, Table, load_cells, outcomes

PAGE = PROJECT_ROOT / "docs" / "faults.md"
HEAD = """# Faults: what was broken on purpose, and what came of it

Written by `make faults`; not by hand. Every cell is a test that ran: ✓ holds, ✗ does not, anything else says why not.
"""


def collected() -> list[Cell]:
    """Every cell that the tests of this folder fill now, in the order of the tests."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "cells.json"
        command = [sys.executable, "-m", "pytest", "tests/faults", "-m", "", "--collect-only", "-qq",
                   "-p", "no:cacheprovider", "--cells", str(file)]
        done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=PROJECT_ROOT)
        if done.returncode:
            raise RuntimeError(f"The tests of tests/faults cannot be collected:\n{done.stdout[-2000:]}")
        return load_cells(file)


def render(cells: Sequence[Cell], found: Mapping[str, str]) -> str:
    """The page: one table after the other, each in the order of its tests."""
    by_table: dict[Table, list[Cell]] = {}
    for cell in cells:
        by_table.setdefault(cell.table, []).append(cell)
    parts = [_table(table, of_table, found) for table, of_table in by_table.items()]
    return "\n".join([HEAD, *parts])


def _table(table: Table, cells: Sequence[Cell], found: Mapping[str, str]) -> str:
    rows = list(dict.fromkeys(cell.row for cell in cells))
    columns = list(dict.fromkeys(cell.column for cell in cells))
    said: dict[tuple[str, str], list[str]] = {}
    for cell in cells:
        outcome = found.get(cell.node, NOT_RUN)
        said.setdefault((cell.row, cell.column), []).append(cell.says if outcome == "✓" else outcome)
    corner = f"{table.rows} \\ {table.columns}" if table.columns else table.rows
    lines = [_line([corner, *columns]), _line(["---"] * (len(columns) + 1))]
    lines += [_line([row, *(_together(said.get((row, column), [])) for column in columns)]) for row in rows]
    return "\n".join([f"## {table.title}", "", *([table.about, ""] if table.about else []), *lines, ""])


def _together(said: Iterable[str]) -> str:
    """What several tests of one cell say: the worst of it, or all of it."""
    different = list(dict.fromkeys(said))
    return BROKEN if BROKEN in different else "; ".join(different)


def _line(texts: Iterable[str]) -> str:
    return f"| {' | '.join(text.replace('|', '&#124;') for text in texts)} |"


if __name__ == "__main__":
    PAGE.write_text(render(collected(), outcomes()), "utf-8")
