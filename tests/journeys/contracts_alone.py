"""An interpreter that has the package `contracts` and named libraries, and nothing else of this project."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from deploy.local.world import PROJECT_ROOT

SOURCE = PROJECT_ROOT / "contracts"
NO_EXTRA = re.compile(r"^[^;]*(;(?!.*extra).*)?$")


def package_definition() -> dict[str, Any]:
    """`contracts/pyproject.toml`."""
    return tomllib.loads((SOURCE / "pyproject.toml").read_text())


def install(folder: Path, *libraries: str) -> Path:
    """What an installer would put there: the packages that pyproject names, and the libraries with theirs."""
    built = package_definition()["tool"]["setuptools"]
    for package in built["packages"]:
        source = SOURCE.joinpath(*package.split(".")[1:])
        target = folder.joinpath(*package.split("."))
        target.mkdir(parents=True)
        for module in source.glob("*.py"):
            shutil.copy(module, target)
    for pattern in built["package-data"]["contracts"]:
        for file in SOURCE.glob(pattern):
            (folder / "contracts" / file.parent.name).mkdir(exist_ok=True)
            shutil.copy(file, folder / "contracts" / file.parent.name)
    for library in _with_dependencies(libraries):
        _link(folder, library)
    return folder


def run(folder: Path, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program that sees the standard library and this folder only."""
    begin = "import sys; sys.path.insert(0, sys.argv[1])\n"
    command = [sys.executable, "-I", "-S", "-c", begin + program, str(folder), *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120, cwd=folder)


def _with_dependencies(libraries: tuple[str, ...]) -> set[str]:
    found: set[str] = set()
    waiting = list(libraries)
    while waiting:
        name = waiting.pop()
        try:
            required = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:  # for another platform or Python
            continue
        if name not in found:
            found.add(name)
            waiting += [re.split(r"[^A-Za-z0-9_.-]", line)[0] for line in required if NO_EXTRA.match(line)]
    return found


def _link(folder: Path, library: str) -> None:
    for file in importlib.metadata.files(library) or []:
        top = file.parts[0]
        if top not in ("..", "__pycache__") and not (folder / top).exists():
            (folder / top).symlink_to(Path(str(file.locate())).parents[len(file.parts) - 1] / top)
