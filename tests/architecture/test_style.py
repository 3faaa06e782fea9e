"""Lint, types, and the sizes that keep the code pleasant to read."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(path for top in ("contracts", "services", "workflows", "deploy", "benchmarks", "tests")
               for path in (ROOT / top).rglob("*.py"))
FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 70


@pytest.mark.parametrize("command", [("ruff", "check", "."), ("pyright",)], ids=lambda command: command[0])
def test_the_tree_is_clean(command: tuple[str, ...]) -> None:
    result = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-4000:]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.count("\n") < FILE_LINES_MAX
    long = [node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES_MAX]
    assert not long
