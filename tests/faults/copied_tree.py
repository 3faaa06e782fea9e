"""The project copied elsewhere: to be changed, or run as a stack beside any other."""

from __future__ import annotations

import shutil
from pathlib import Path

from deploy.local.world import PROJECT_ROOT

COPIED = ("benchmarks", "contracts", "deploy", "services", "workflows", "tests")
KEPT_IN_PLACE = (".venv", ".onething/jars")


def copy_tree(target: Path) -> Path:
    """The sources as they are, the virtual environment and the broker's jars as links."""
    target.mkdir(parents=True)
    for name in COPIED:
        shutil.copytree(PROJECT_ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "onething"):
        shutil.copy2(PROJECT_ROOT / name, target / name)
    for name in KEPT_IN_PLACE:
        link = target / name
        link.parent.mkdir(exist_ok=True)
        link.symlink_to((PROJECT_ROOT / name).resolve())
    return target
