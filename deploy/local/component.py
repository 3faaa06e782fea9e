"""What the three embedded servers have in common: start, wait until ready, stop, die and come back."""

import asyncio
import socket
from abc import ABC, abstractmethod

from deploy.local.child import Child
from deploy.local.problem import StackProblem
from deploy.local.world import LOCALHOST, World

POLL_SECONDS = 0.05


class Component(ABC):
    """One embedded server. `start()` again after `kill()` or `stop()` uses the same port and data."""

    name: str
    ready_bound_seconds = 60.0

    def __init__(self, world: World) -> None:
        self.world = world
        self.child = Child(world, self.name)

    @abstractmethod
    async def start(self) -> None:
        """Prepare what is missing, start the server and return when it answers."""

    async def stop(self) -> None:
        """Stop it cleanly."""
        await self.child.stop()

    async def kill(self) -> None:
        """End it at once (SIGKILL), as a crash would."""
        await self.child.kill()

    async def _wait_until_listening(self, port: int) -> None:
        """Return when the server takes connections on `port`; raise StackProblem with its last words."""
        deadline = asyncio.get_running_loop().time() + self.ready_bound_seconds
        while not _listens(port):
            if not self.child.alive:
                raise self._failed(f"ended with code {self.child.exit_code}")
            if asyncio.get_running_loop().time() > deadline:
                raise self._failed(f"did not listen on port {port} within {self.ready_bound_seconds:.0f} s")
            await asyncio.sleep(POLL_SECONDS)

    def _failed(self, what: str) -> StackProblem:
        tail = self.child.log_tail()
        if "No space left on device" in tail or "disk full" in tail:
            return StackProblem(
                "disk_full", f"The disk under {self.world.home} is full. Free about 1 GB and run it again."
            )
        return StackProblem(f"{self.name}_failed", f"{self.name} {what}; its last words are in {self.child.log_file}.")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOCALHOST, port)) == 0
