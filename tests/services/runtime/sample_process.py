"""A small service for the tests of the process: one slow route, one consumer, one loop, one activity."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from fastapi import APIRouter
from temporalio import activity

from contracts.envelope import EventEnvelope
from contracts.events.item import ItemAccepted
from services.runtime.consumer import Consumers
from services.runtime.context import Runtime
from services.runtime.database import Transaction
from services.runtime.loops import Loop
from services.runtime.process import Service, run
from services.runtime.settings import RuntimeSettings

routes = APIRouter()
NAME = os.environ["SAMPLE_NAME"]
consumers = Consumers(NAME)


entered: list[str] = []


@routes.get("/entered")
async def count_entered() -> int:
    return len(entered)


@routes.post("/slow")
async def slow() -> dict[str, str]:
    entered.append("slow")
    await asyncio.sleep(1)
    return {"status": "finished"}


@consumers.on(ItemAccepted)
async def accept(tx: Transaction, events: list[EventEnvelope[ItemAccepted]]) -> None:
    """Nothing to do: being handled is enough."""


@activity.defn(name="greet")
async def greet() -> str:
    return "你好"


async def fail(runtime: Runtime) -> int:
    raise RuntimeError("500116199001011234")


async def nothing(runtime: Runtime) -> int:
    return 0


def activities(runtime: Runtime) -> list[Any]:
    return [greet]


if __name__ == "__main__":
    run(
        Service(
            NAME,
            RuntimeSettings,
            routers=[routes],
            consumers=consumers,
            activities=activities,
            loops=[] if "SAMPLE_WITHOUT_LOOPS" in os.environ else [Loop("failing", fail, nothing)],
        )
    )
