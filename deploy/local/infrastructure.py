"""The three embedded servers together, as `onething up`, tests and benchmarks use them."""

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import psutil

from deploy.local.child import end_leftovers
from deploy.local.component import Component
from deploy.local.kafka import Kafka
from deploy.local.ordinary_user import prune_outside
from deploy.local.postgres import DATABASE, Postgres
from deploy.local.problem import StackProblem
from deploy.local.secret_store import SecretStore
from deploy.local.temporal import Temporal
from deploy.local.world import LOCALHOST, World, WorldLock

COMPONENTS = ("postgres", "kafka", "temporal")


class Infrastructure:
    """Running servers in one world folder, which stays locked to this process until `stop()`."""

    def __init__(self, world: World, lock: WorldLock, only: set[str] | None = None) -> None:
        self.world = world
        self.secrets = SecretStore(world.secrets)
        self.secrets.create()
        self.postgres = Postgres(world, self.secrets)
        self.kafka = Kafka(world)
        self.temporal = Temporal(world)
        every: tuple[Component, ...] = (self.postgres, self.kafka, self.temporal)
        self.components = {part.name: part for part in every if only is None or part.name in only}
        self._lock = lock

    @property
    def kafka_bootstrap(self) -> str:
        return self.kafka.bootstrap

    @property
    def temporal_address(self) -> str:
        return self.temporal.address

    def database_dsn(self, role: str = "admin", database: str = DATABASE) -> str:
        """The database address of a role: `admin`, a service's name, `workflows` or `keeper`."""
        return self.postgres.dsn(role, database)

    def url(self, name: str) -> str:
        return self.world.url(name)

    def listens_on(self, name: str) -> tuple[str, int]:
        return LOCALHOST, self.world.ports[name]

    def data_folder(self, name: str) -> Path:
        """Where an actor of the sandbox keeps what it must remember between starts."""
        return self.world.home / "sandbox" / name

    def symmetric_key(self, name: str) -> str:
        return self.secrets.symmetric_key(name)

    def key_file(self, setting: str, name: str) -> Path:
        return self.secrets.key_file(setting, name)

    async def start(self, on_ready: Callable[[str], None] = lambda _: None) -> None:
        """Start all components at once; when one fails, stop the others and raise its StackProblem."""

        async def start_one(part: Component) -> None:
            await part.start()
            on_ready(part.name)

        starts = [asyncio.create_task(start_one(part)) for part in self.components.values()]
        try:
            await asyncio.gather(*starts)
        except BaseException:
            for task in starts:
                task.cancel()
            await asyncio.gather(*starts, return_exceptions=True)
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop every component cleanly and free the world."""
        await asyncio.gather(*(part.stop() for part in reversed(self.components.values())))
        self._lock.release()

    async def discard(self) -> None:
        """Stop, and remove the world with all its data."""
        await self.stop()
        self.world.wipe()
        shutil.rmtree(self.world.home)


def take_world(home: Path, *, fresh: bool = False) -> tuple[World, WorldLock]:
    """Open the world in `home` for this process alone, ending what a dead predecessor left behind.

    `fresh` wipes its data first. Raises StackProblem `already_up` when another process runs it.
    """
    lock = WorldLock(home.resolve())
    if not lock.take():
        raise StackProblem("already_up", f"A stack is already up in {home}. Use it, or run: onething down")
    world = World.open(home)
    prune_outside()
    end_leftovers(world)
    if fresh:
        world.wipe()
    world.holder = {"pid": os.getpid(), "started_at": psutil.Process().create_time()}
    world.status = {}
    world.save()
    return world, lock


async def start(
    home: Path,
    *,
    only: set[str] | None = None,
    fresh: bool = False,
    on_ready: Callable[[str], None] = lambda _: None,
) -> Infrastructure:
    """Start the embedded servers (`only` some of COMPONENTS) on the data in `home`.

    With Postgres the database, its roles and the schema `clock` are made; with Kafka the topics of the
    catalogue. Call `stop()` on the result when done.
    """
    world, lock = take_world(home, fresh=fresh)
    infrastructure = Infrastructure(world, lock, only)
    await infrastructure.start(on_ready)
    try:
        await prepare(infrastructure)
    except BaseException:
        await infrastructure.stop()
        raise
    return infrastructure


async def prepare(infrastructure: Infrastructure) -> None:
    """Make what the services find in place: database, roles, clock, topics. Idempotent."""
    from deploy.local import database_setup, topics

    if "postgres" in infrastructure.components:
        await database_setup.create_database(infrastructure.postgres, infrastructure.secrets)
    if "kafka" in infrastructure.components:
        await topics.create_topics(infrastructure.kafka_bootstrap)
