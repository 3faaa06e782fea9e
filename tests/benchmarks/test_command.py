"""The command names its measures, and the system does not know of its benchmarks."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks.catalogue import MEASURES
from deploy.cli.app import app

ROOT = Path(__file__).parents[2]


def test_help_names_every_measure() -> None:
    shown = " ".join(CliRunner().invoke(app, ["bench", "--help"]).output.replace("│", " ").split())
    assert not [name for name in MEASURES if name not in shown]


def test_an_unknown_measure_is_refused_with_the_names_there_are() -> None:
    refused = CliRunner().invoke(app, ["bench", "speed"])
    assert refused.exit_code == 2
    assert "There is no measure speed" in " ".join(refused.output.replace("│", " ").split())


@pytest.mark.parametrize("name", MEASURES)
def test_every_measure_has_its_module(name: str) -> None:
    assert callable(import_module(f"benchmarks.measures.{name.replace('-', '_')}").measure)


def test_nothing_that_is_measured_imports_the_benchmarks() -> None:
    importing = [
        path for top in ("contracts", "services", "workflows", "deploy") for path in (ROOT / top).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("benchmarks"))
        or (isinstance(node, ast.Import) and any(name.name.startswith("benchmarks") for name in node.names))
    ]
    assert not importing
