"""The Docker engine, where there is one, and compose.yaml as data."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest
import yaml

from deploy.local.world import PROJECT_ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT_ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ANSWER_BOUND_SECONDS = 10


def why_no_engine() -> str:
    """What keeps these tests from an engine with Compose; empty where nothing does."""
    for command in (["docker", "version", "--format", "{{.Server.Version}}"], ["docker", "compose", "version"]):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=ANSWER_BOUND_SECONDS, check=False)
        except FileNotFoundError:
            return "the program docker is not installed"
        except subprocess.TimeoutExpired:
            return f"no answer within {ANSWER_BOUND_SECONDS} s"
        if done.returncode:
            return (done.stderr.strip().splitlines() or [f"code {done.returncode}"])[0].rstrip(".")
    return ""


def require_engine() -> None:
    """Skip the module that calls this, in one line, where no engine answers."""
    if why := why_no_engine():
        start_one = "start one and run make test T=tests/containers"
        pytest.skip(f"No Docker engine answers: {why}; {start_one}", allow_module_level=True)
