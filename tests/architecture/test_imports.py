"""Who may import whom: the walls of the house, held by a test."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = ("contracts", "services", "workflows", "deploy", "benchmarks", "tests")
SERVICES = ("intake", "verification", "approval", "disbursement", "coordination")
FRAMEWORKS = ("sqlalchemy", "sqlmodel", "fastapi", "faststream", "temporalio", "asyncpg", "httpx", "aiokafka")


def allowed(module: str) -> tuple[str, ...]:
    """What of ours a module may import: prefixes of dotted names."""
    if module.startswith("contracts"):
        return ("contracts",)
    if module.startswith("services.runtime"):
        return ("contracts", "services.runtime")
    if module.startswith("services.rulebook"):
        return ("contracts", "services.rulebook")
    if module == "workflows.worker":
        return ("contracts", "workflows", "services.runtime")
    if module.startswith("workflows"):
        return ("contracts", "workflows")
    if module.startswith("deploy.sandbox"):
        return ("contracts", "deploy.sandbox")
    for service in SERVICES:
        if module.startswith(f"services.{service}"):
            return ("contracts", "services.runtime", "services.rulebook", f"services.{service}")
    return OURS


def modules() -> Iterator[tuple[str, Path]]:
    for top in ("contracts", "services", "workflows", "deploy"):
        for path in sorted((ROOT / top).rglob("*.py")):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def is_within(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


@pytest.mark.parametrize(("module", "path"), list(modules()), ids=lambda value: value if isinstance(value, str) else "")
def test_a_module_imports_only_what_lies_below_it(module: str, path: Path) -> None:
    outside = {name for name in imported(path) if name.split(".")[0] in OURS and not is_within(name, allowed(module))}
    assert not outside, f"{module} may import of ours only {allowed(module)}, not {sorted(outside)}"


@pytest.mark.parametrize("path", sorted((ROOT / "services").glob("*/rules.py")), ids=lambda path: path.parent.name)
def test_rules_know_no_framework_no_clock_and_no_network(path: Path) -> None:
    names = imported(path)
    assert not {name for name in names if name.split(".")[0] in FRAMEWORKS}
    assert not {name for name in names if name.startswith("services.") and name.endswith(".models")}
    tree = ast.parse(path.read_text("utf-8"))
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert not called & {"datetime.now", "date.today", "time.time", "datetime.utcnow"}


@pytest.mark.parametrize("path", [path for name, path in modules() if name.startswith("contracts")],
                         ids=lambda path: str(path.relative_to(ROOT)))
def test_contracts_need_nothing_but_pydantic(path: Path) -> None:
    outside = {name.split(".")[0] for name in imported(path)} - {"contracts", "pydantic", "__future__"}
    assert not outside - sys.stdlib_module_names


def test_only_the_relay_publishes() -> None:
    publishers = {name for name, path in modules()
                  if name.startswith(("services", "workflows")) and "AIOKafkaProducer" in path.read_text("utf-8")}
    assert publishers <= {"services.runtime.relay", "services.runtime.kafka_producer"}, publishers
