"""Runs a process of the stack as it is, with arms at its named points: `python -m tests.faults.armed <module>`.

The production code has no hook: the few functions where a crash matters are wrapped here, from outside.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import runpy
import signal
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from services.runtime import consumer, handling, process, relay
from services.runtime.clients import ServiceClient
from services.runtime.temporal import ActivityWatch
from tests.faults.arms import FOLDER_VARIABLE, KEEPER, Arm, Armoury, Point

POLL_SECONDS = 0.01
SESSION_MS = 1_500
"""The broker gives a killed consumer's partitions away after this long: 6 s in earnest, which a test need not wait."""
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
Passing = tuple[str, datetime | None]
"""What passes a point, and the legal time of an event."""


class Trap:
    """The arms as one process sees them."""

    def __init__(self, folder: Path, name: str) -> None:
        self._armoury = Armoury(folder)
        self._world_file = folder.with_name("world.json")
        self._process = name
        self._arms: dict[str, Arm] = {}

    async def passes(self, point: Point, passing: Iterable[Passing]) -> None:
        """Spring the arms that name this point and what passes it."""
        seen = list(passing)
        for name in self._armoury.waits():
            if name not in self._arms and (arm := self._armoury.read(name)) is not None:
                self._arms[name] = arm
            arm = self._arms.get(name)
            if arm is not None and any(arm.names(point, self._process, what, at) for what, at in seen):
                await self._spring(arm)

    async def _spring(self, arm: Arm) -> None:
        while (taken := self._armoury.take(arm.name)) is False:  # noqa: ASYNC110 - another process has it
            await asyncio.sleep(POLL_SECONDS)
        if taken is None:
            return
        victim = arm.victim or self._process
        pids = {name: int(each["pid"]) for name, each in json.loads(self._world_file.read_text())["processes"].items()}
        # Legal time must not run past what a dead part would have done.
        os.kill(pids[KEEPER], signal.SIGSTOP)
        self._armoury.tell_victim(arm.name, victim)
        os.kill(pids[victim], signal.SIGKILL)


class AnsweringApp:
    """An ASGI application whose answers to commands pass a point before they are sent."""

    def __init__(self, app: Any, trap: Trap) -> None:
        self._app = app
        self._trap = trap

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start" and scope["method"] != "GET" and message["status"] < 300:
                await self._trap.passes(Point.ANSWERING, [(f"{scope['method']} {without_ids(scope['path'])}", None)])
            await send(message)

        await self._app(scope, receive, sending)


def without_ids(path: str) -> str:
    """A path as its route is written."""
    return ID.sub("{id}", path)


def arm_relay(trap: Trap) -> None:
    """Before a partition's events are sent, and after they were acknowledged while their rows still stand."""
    send_in_order = relay._send_in_order

    async def armed(producer: Any, topic: str, number: int, rows: Sequence[Any], sent: list[int]) -> None:
        passing = [_event(json.loads(row["headers"])) for row in rows]
        await trap.passes(Point.BEFORE_SEND, passing)
        await send_in_order(producer, topic, number, rows, sent)
        await trap.passes(Point.SENT, passing)

    relay._send_in_order = armed


def arm_consumer(trap: Trap) -> None:
    """After the handlers while nothing is committed, and after the commit while the offset is not."""
    handle, batch = handling.Handling.handle, handling.Handling.batch

    async def armed_handle(self: handling.Handling, tx: Any, events: Sequence[Any], **options: Any) -> int:
        handled = await handle(self, tx, events, **options)
        await trap.passes(Point.BEFORE_COMMIT, [(event.type.rsplit(".v", 1)[0], event.time) for event in events])
        return handled

    async def armed_batch(self: handling.Handling, records: Sequence[Any]) -> None:
        await batch(self, records)
        headers = [{name: value.decode(errors="replace") for name, value in record.headers} for record in records]
        await trap.passes(Point.COMMITTED, [_event(each) for each in headers if "ce_type" in each])

    handling.Handling.handle, handling.Handling.batch = armed_handle, armed_batch
    consumer.SESSION_MS = SESSION_MS


def arm_requests(trap: Trap) -> None:
    """After a command was committed, before its answer leaves; after an outside answer came, before it is noted."""
    create_app, request = process.create_app, ServiceClient.request
    process.create_app = lambda *given: AnsweringApp(create_app(*given), trap)

    async def armed(self: ServiceClient, method: str, path: str, **options: Any) -> Any:
        response = await request(self, method, path, **options)
        await trap.passes(Point.ASKED, [(f"{method} {without_ids(path)}", None)])
        return response

    ServiceClient.request = armed


def arm_activities(trap: Trap) -> None:
    """After an activity has committed, before Temporal is told."""
    intercept = ActivityWatch.intercept_activity

    def armed(self: ActivityWatch, next: Any) -> Any:
        watched = intercept(self, next)
        execute = watched.execute_activity

        async def then_pass(given: Any) -> Any:
            result = await execute(given)
            await trap.passes(Point.ACTIVITY_DONE, [(given.fn.__temporal_activity_definition.name, None)])
            return result

        watched.execute_activity = then_pass
        return watched

    ActivityWatch.intercept_activity = armed


def arm_actor(trap: Trap) -> None:
    """An actor of the sandbox has one point: it has done what it was asked and not answered yet."""
    from deploy.sandbox import actor

    serve = actor.serve
    actor.serve = lambda app, settings: serve(AnsweringApp(app, trap), settings)


def _event(headers: dict[str, str]) -> Passing:
    return headers["ce_type"].rsplit(".v", 1)[0], datetime.fromisoformat(headers["ce_time"])


def main() -> None:
    """Arm, then be the module named."""
    name, module = sys.argv[1:]
    trap = Trap(Path(os.environ[FOLDER_VARIABLE]), name)
    if module.startswith("deploy.sandbox."):
        arm_actor(trap)
    else:
        for arm in (arm_relay, arm_consumer, arm_requests, arm_activities):
            arm(trap)
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
