"""Kafka, PostgreSQL and Temporal from the images of compose.yaml, and our processes on this machine against them."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import datetime
from pathlib import Path

import httpx
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import ExecWaitStrategy

from deploy.cli.running_stack import RunningStack
from deploy.containers.prepare import prepare
from deploy.local.infrastructure import Infrastructure, take_world
from deploy.local.our_process import OurProcess
from deploy.local.postgres import ADMIN
from deploy.local.process_table import PROCESSES
from deploy.local.supervisor import START_GROUPS, STOP_GROUPS
from deploy.local.world import World
from tests.containers.engine import SERVICES

POSTGRES_PORT, KAFKA_PORT, TEMPORAL_PORT, TEMPORAL_WEB_PORT = 5432, 9092, 7233, 8233
OF_ITS_VOLUME = ("--db-filename", "--sqlite-pragma")


def server(name: str, **environment: str) -> DockerContainer:
    """A server as compose.yaml has it, ready when its own health check says so."""
    written = SERVICES[name]
    settings = {key: str(value) for key, value in written.get("environment", {}).items()}
    command = [part for part in written.get("command", ()) if not part.startswith(OF_ITS_VOLUME)]
    kind, *test = written["healthcheck"]["test"]
    container = DockerContainer(written["image"]).with_envs(**{**settings, **environment})
    container.waiting_for(ExecWaitStrategy(["sh", "-c", *test] if kind == "CMD-SHELL" else test))
    return container.with_command(command) if command else container


@contextmanager
def servers(world: World, admin_password: str) -> Iterator[None]:
    """The three servers, their addresses noted in the world."""
    kafka_port = world.port("kafka")  # known before it runs, for the broker tells it its clients
    kafka = server(
        "kafka",
        KAFKA_ADVERTISED_LISTENERS=f"PLAINTEXT://localhost:{kafka_port}",
        KAFKA_CONTROLLER_QUORUM_VOTERS="1@localhost:9093",
    ).with_bind_ports(KAFKA_PORT, kafka_port)
    postgres = server("postgres", POSTGRES_PASSWORD=admin_password, POSTGRES_PASSWORD_FILE="")
    temporal = server("temporal")
    with ExitStack() as running:
        running.enter_context(kafka)
        running.enter_context(postgres.with_exposed_ports(POSTGRES_PORT))
        running.enter_context(temporal.with_exposed_ports(TEMPORAL_PORT, TEMPORAL_WEB_PORT))
        world.addresses = {
            "kafka": f"localhost:{kafka_port}",
            "postgres": address(postgres, POSTGRES_PORT),
            "temporal": address(temporal, TEMPORAL_PORT),
            "temporal_web": address(temporal, TEMPORAL_WEB_PORT),
        }
        world.save()
        yield


def address(container: DockerContainer, port: int) -> str:
    return f"{container.get_container_host_ip()}:{container.get_exposed_port(port)}"


@asynccontextmanager
async def processes(around: Infrastructure) -> AsyncIterator[None]:
    """Every process of ours on this machine, with the settings that its table entry names and no others."""
    async with httpx.AsyncClient(timeout=5, trust_env=False) as http:
        for entry in PROCESSES:
            around.world.port(entry.name)
        ours = [OurProcess(entry, around, http) for entry in PROCESSES]
        try:
            for kinds in START_GROUPS:
                await asyncio.gather(*(process.start() for process in ours if process.entry.kind in kinds))
            yield
        finally:
            for kinds in STOP_GROUPS:
                await asyncio.gather(*(process.stop() for process in ours if process.entry.kind in kinds))


@asynccontextmanager
async def a_city_on_outside_servers(legal_start: datetime) -> AsyncIterator[RunningStack]:
    """A city whose servers are elsewhere; everything is gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="onething-outside-"))
    world, lock = take_world(home, fresh=True)
    around = Infrastructure(world, lock, only=set())
    try:
        with servers(world, around.secrets.database_password(ADMIN)):
            await prepare(around.postgres, around.secrets, around.kafka_bootstrap, legal_start)
            async with processes(around):
                yield RunningStack(world)
    finally:
        lock.release()
        shutil.rmtree(home, ignore_errors=True)
