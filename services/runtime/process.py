"""One process of the system: HTTP, consumer, activity worker, relay and loops in one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
import uvicorn
import uvloop
from fastapi import APIRouter
from temporalio.client import Client
from temporalio.worker import Worker

from services.runtime import inbox, logging
from services.runtime.consumer import Consumers
from services.runtime.context import Runtime
from services.runtime.forgetting import forgetting
from services.runtime.health import dead_letter_routes, probes
from services.runtime.http import create_app
from services.runtime.http_protocol import BoundedHttp
from services.runtime.kafka_connection import survive_closed_connections
from services.runtime.loops import Loop, LoopRunner
from services.runtime.record_batches import survive_any_header_name
from services.runtime.relay import Relay
from services.runtime.settings import ProcessSettings, RuntimeSettings, SettingsError, load
from services.runtime.temporal import WorkerKeeper, activity_worker

__all__ = ["Loop", "Runtime", "Service", "run"]

log = structlog.get_logger(__name__)

STOP_SECONDS_MAX = 10.0
REQUESTS_GRACE_SECONDS = 4
BACKLOG = 1024
GARBAGE_AFTER_OBJECTS = 10_000
"""New objects between two looks for cyclic garbage; a batch makes thousands, nearly all without cycles."""
Activities = list[Callable[..., Any]]


@dataclass
class Service:
    """What a process is made of. A service with `activities` runs them on the task queue of its name."""

    name: str
    settings: type[ProcessSettings]
    routers: Sequence[APIRouter] = ()
    consumers: Consumers | None = None
    activities: Callable[[Runtime], Activities] | None = None
    loops: Sequence[Loop] = ()
    worker: Callable[[Client, Runtime], Worker] | None = None
    """Instead of `activities`: a worker of its own making, without which the process is not ready."""

    def worker_of(self, runtime: Runtime) -> Callable[[Client], Worker] | None:
        """How to build this service's Temporal worker, if it has one."""
        if self.worker is not None:
            build = self.worker
            return lambda client: build(client, runtime)
        if self.activities is not None:
            activities = self.activities(runtime)
            return lambda client: activity_worker(client, runtime, activities)
        return None


class _Server(uvicorn.Server):
    """uvicorn without signal handlers of its own: the process has one place that decides when to stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


@dataclass
class _Parts:
    server: _Server
    serving: asyncio.Task[None]
    runners: list[LoopRunner] = field(default_factory=list[LoopRunner])
    relay: Relay | None = None
    relaying: LoopRunner | None = None


def run(service: Service) -> None:
    """Run the process until SIGTERM or SIGINT; exit code 0 after a clean stop, 1 or 2 if it cannot start."""
    try:
        settings = load(service.settings)
    except SettingsError as error:
        sys.exit(_told(service, str(error), 2))
    logging.configure(service.name, settings.log_level)
    survive_closed_connections()
    survive_any_header_name()
    try:
        listener = socket.create_server((settings.http_host, settings.http_port), backlog=BACKLOG)
    except OSError as error:
        address = f"{settings.http_host}:{settings.http_port}"
        reason = f"Cannot listen on {address} ({error.strerror}). Free the port or set ONETHING_HTTP_PORT."
        sys.exit(_told(service, reason, 1))
    with asyncio.Runner(loop_factory=_event_loop) as runner:
        try:
            runner.run(_serve(service, settings, listener))
        except (OSError, ValueError) as error:
            sys.exit(_told(service, f"Cannot start: {error}", 1))
    sys.stdout.flush()
    # Hazard: Temporal's native threads outlive their client; one that calls into Python while the interpreter
    # is taken down aborts the process after its clean stop (seen once). Everything is closed by now.
    os._exit(0)


def _event_loop() -> asyncio.AbstractEventLoop:
    return uvloop.new_event_loop()


def _told(service: Service, reason: str, code: int) -> int:
    print(f"{service.name}: {reason}", file=sys.stderr)
    return code


async def _serve(service: Service, settings: ProcessSettings, listener: socket.socket) -> None:
    runtime = Runtime(service.name, settings)
    stop = _stop_on_signals()
    parts = await _start(service, runtime, listener)
    _leave_what_stays_to_itself()
    log.info("process.started", port=settings.http_port)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({stopping, parts.serving}, return_when=asyncio.FIRST_COMPLETED)
    await _stop(runtime, parts)
    log.info("process.stopped")


async def _start(service: Service, runtime: Runtime, listener: socket.socket) -> _Parts:
    routers = [probes, *([dead_letter_routes] if service.consumers else []), *service.routers]
    config = uvicorn.Config(
        create_app(service.name, routers, runtime),
        http=BoundedHttp,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=REQUESTS_GRACE_SECONDS,
    )
    server = _Server(config)
    parts = _Parts(server, asyncio.create_task(server.serve([listener]), name="http"))
    loops = list(service.loops)
    if service.consumers is not None:
        runtime.consumers = service.consumers
        loops += [service.consumers.loop(), forgetting("inbox", inbox.forget_old)]
    parts.runners = [_started(loop, runtime) for loop in loops]
    if isinstance(runtime.settings, RuntimeSettings):
        parts.relay = Relay(runtime.database, runtime.settings.kafka_bootstrap)
        parts.relaying = _started(parts.relay.loop(), runtime)
    if runtime.consumers is not None:
        await runtime.consumers.start(runtime)
    build = service.worker_of(runtime)
    if build is not None:
        runtime.needs_temporal = service.worker is not None
        runtime.worker = WorkerKeeper(runtime.temporal, build)
        runtime.worker.start()
    return parts


def _leave_what_stays_to_itself() -> None:
    """Modules, models and routes stay until the end: the garbage collector need not walk them again and again.

    It took a third of the processor time of a busy process, in pauses that every request behind them felt.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER_OBJECTS)


def _started(loop: Loop, runtime: Runtime) -> LoopRunner:
    runner = runtime.loops[loop.name] = LoopRunner(loop, runtime)
    runner.start()
    return runner


async def _stop(runtime: Runtime, parts: _Parts) -> None:
    """Take nothing new, finish what is under way, leave: what brings work in first, the relay last."""
    parts.server.should_exit = True
    coming_in = [parts.serving]
    if runtime.consumers is not None:
        coming_in.append(asyncio.create_task(runtime.consumers.stop()))
    if runtime.worker is not None:
        coming_in.append(asyncio.create_task(runtime.worker.stop()))
    await _all_ended(coming_in)
    await _all_ended([asyncio.create_task(runner.stop()) for runner in parts.runners])
    if parts.relaying is not None and parts.relay is not None:
        await parts.relaying.stop()
        await parts.relay.close()
    await runtime.close()


async def _all_ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, BaseException):
            log.warning("process.stop_failed", error=type(outcome).__name__)


def _stop_on_signals() -> asyncio.Event:
    """An event set by the first SIGTERM or SIGINT; a second one, or ten seconds, kill the process."""
    stop = asyncio.Event()

    def on_signal() -> None:
        if stop.is_set():
            os._exit(1)
        stop.set()
        # Hazard: a timer of the event loop would not fire while the loop is blocked; a thread's does.
        deadline = threading.Timer(STOP_SECONDS_MAX, os._exit, args=(1,))
        deadline.daemon = True
        deadline.start()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    return stop
