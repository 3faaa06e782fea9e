"""With a mechanism taken out, the tests that hold it fail: a net that catches nothing is no net."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.faults.copied_tree import copy_tree
from tests.faults.mutants import MUTANTS, Mutant
from tests.faults.tables import Table

AT_ONCE = 2
FAILED = re.compile(r"^FAILED (\S+)", re.MULTILINE)
TABLE = Table(
    "Mechanisms taken out", rows="mechanism", columns="without it",
    about="Each is taken out in a copy of the tree; the tests named must fail there. Fencing is the owner and epoch "
    "that a decision was made for: they are checked where it is confirmed, and nothing hands an item over yet.",
)
QUICK = MUTANTS[:1]
"""One of them shows in every `make test` that the net catches; `make faults` takes out all."""


def run_in_copy(mutant: Mutant, folder: Path) -> str:
    """What pytest says of a copy of the tree without the mechanism."""
    tree = copy_tree(folder / "copy")
    for edit in mutant.edits:
        file = tree / edit.file
        source = file.read_text()
        assert source.count(edit.whole) == 1, f"{edit.file} has changed: take the mechanism out anew"
        file.write_text(source.replace(edit.whole, edit.taken_out))
    command = [sys.executable, "-m", "pytest", "-q", "-rfE", "-p", "no:cacheprovider", *mutant.noticed_by]
    # Hazard: with a PYTHONPATH of the caller the whole tree would be tested, not the mutant.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    tested = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=tree, env=environment, timeout=300
    )
    return tested.stdout + tested.stderr


@pytest.fixture(scope="module")
def tested(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Mutant], str]]:
    """What the tests say of a mutant. Two are tested at a time, in the order of this module's tests."""
    ours = (item for item in request.session.items if item.path == request.path and hasattr(item, "callspec"))
    chosen: list[Mutant] = [item.callspec.params["mutant"] for item in ours]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        results: dict[Mutant, Future[str]] = {
            mutant: pool.submit(run_in_copy, mutant, tmp_path_factory.mktemp("mutant")) for mutant in chosen
        }
        yield lambda mutant: results[mutant].result()
        pool.shutdown(cancel_futures=True)


def cases() -> list[object]:
    """Every mutant with its row of the table: what caught it."""
    written: list[object] = []
    for mutant in MUTANTS:
        names = (name.rpartition("::")[2].removeprefix("test_") for name in mutant.noticed_by)
        caught = "; ".join(name.replace("_", " ") for name in names)
        marks = [pytest.mark.cell(TABLE, row=f"{mutant.mechanism}: {mutant.without}", column="caught by", says=caught)]
        marks += [] if mutant in QUICK else [pytest.mark.faults_long]
        written.append(pytest.param(mutant, marks=marks, id=f"{mutant.mechanism}: {mutant.without}"))
    return written


@pytest.mark.parametrize("mutant", cases())
def test_taking_a_mechanism_out_is_noticed(mutant: Mutant, tested: Callable[[Mutant], str]) -> None:
    said = tested(mutant)
    failed = {node.partition("[")[0] for node in FAILED.findall(said)}
    assert failed == set(mutant.noticed_by), said[-3000:]
