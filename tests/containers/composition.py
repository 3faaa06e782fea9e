"""compose.yaml under a project name of its own, on ports that are free."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from deploy.local.world import PROJECT_ROOT
from tests.containers.engine import COMPOSE

UP_BOUND_SECONDS = 240
PORT_SETTING = re.compile(r"ONETHING_\w+_PORT")
ANY_FREE_PORT = "0"


@dataclass(frozen=True)
class Composition:
    """One project of Compose; `command` is what every call begins with."""

    project: str = field(default_factory=lambda: f"onething-test-{uuid4().hex[:8]}")

    @property
    def command(self) -> list[str]:
        return ["docker", "compose", "--project-name", self.project, "--file", str(PROJECT_ROOT / "compose.yaml")]

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, **dict.fromkeys(PORT_SETTING.findall(json.dumps(COMPOSE)), ANY_FREE_PORT)}

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a call and go on; both streams can be read."""
        return subprocess.Popen(
            [*self.command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=self.environment, cwd=PROJECT_ROOT,
        )

    def call(self, *arguments: str) -> str:
        """Make a call and return what it wrote; fails with its last words."""
        process = self.begin(*arguments)
        written, complaints = process.communicate()
        assert process.returncode == 0, f"{' '.join(arguments)}: {written[-2000:]} {complaints[-2000:]}"
        return written

    def up(self) -> None:
        """Start everything; returns when all of it is healthy."""
        self.call("up", "--detach", "--wait", "--wait-timeout", str(UP_BOUND_SECONDS))

    def onething(self, *arguments: str, mounted: str = "") -> str:
        """Run the command line in its container and return what it wrote."""
        volume = ["--volume", mounted] if mounted else []
        return self.call("run", "--rm", "--no-TTY", *volume, "onething", *arguments)

    def restarts(self, service: str) -> int:
        """How often the engine has started a service's container again."""
        container = self.call("ps", "--all", "--quiet", service).strip()
        inspected = subprocess.run(["docker", "inspect", container], capture_output=True, text=True, check=True)
        return json.loads(inspected.stdout)[0]["RestartCount"]

    def states(self) -> dict[str, dict[str, Any]]:
        """Every container with its state and health, by service."""
        lines = self.call("ps", "--all", "--format", "json").splitlines()
        return {row["Service"]: row for row in map(json.loads, lines)}
