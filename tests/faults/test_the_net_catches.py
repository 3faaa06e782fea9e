"""With a mechanism taken out, the tests that hold it fail: a net that catches nothing is no net."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.faults.copied_tree import copy_tree


class Mutant(NamedTuple):
    """A mechanism taken out of one file, and the tests that must notice."""

    file: str
    whole: str
    taken_out: str
    noticed_by: tuple[str, ...]


CONSUMER = "tests/services/runtime/test_consumer.py"

MUTANTS = {
    "the inbox": Mutant(
        "services/runtime/inbox.py",
        'return {row["event_id"] for row in claimed}',
        "return set(event_ids)",
        (
            f"{CONSUMER}::test_each_event_takes_effect_once_however_often_it_is_delivered",
            f"{CONSUMER}::test_a_rewound_group_changes_nothing",
        ),
    ),
}


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS.keys())
def test_taking_a_mechanism_out_is_noticed(mutant: Mutant, tmp_path: Path) -> None:
    tree = copy_tree(tmp_path / "mutant")
    file = tree / mutant.file
    source = file.read_text()
    assert source.count(mutant.whole) == 1, f"{mutant.file} has changed: take the mechanism out anew"
    file.write_text(source.replace(mutant.whole, mutant.taken_out))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *mutant.noticed_by]
    # Hazard: with a PYTHONPATH of the caller the whole tree would be tested, not the mutant.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    tested = subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=tree, env=environment, timeout=300
    )
    summary = tested.stdout.splitlines()[-1]
    assert re.match(rf"{len(mutant.noticed_by)} failed in ", summary), tested.stdout[-2000:]
