"""What every actor of the city shares: settings, the keeper's protocol (`GET /quiet`, `POST /act`), a server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

import uvicorn
from fastapi import APIRouter, FastAPI
from pydantic_settings import BaseSettings, SettingsConfigDict

from contracts.http.clock import Act, Acted, Quiet

CHINA = ZoneInfo("Asia/Shanghai")


class ActorSettings(BaseSettings):
    """What an actor may be told. Each actor gets only what it needs."""

    model_config = SettingsConfigDict(env_prefix="ONETHING_", frozen=True)

    http_host: str = "127.0.0.1"
    http_port: int
    idp_key_file: Path | None = None
    """The sandbox plays the identity provider: it signs for citizens, officers and departments."""
    recipient_private_keys_file: Path | None = None
    kafka_bootstrap: str = ""
    intake_url: str = ""
    verification_url: str = ""
    approval_url: str = ""
    disbursement_url: str = ""
    coordination_url: str = ""
    bank_url: str = ""
    sources_url: str = ""
    officers_url: str = ""
    electricity_url: str = ""
    data_folder: Path | None = None


class Actor(Protocol):
    """Someone in the city."""

    handled: int

    async def act(self, legal_now: datetime, leap_number: int) -> int:
        """Do what is due by `legal_now`; return how many things were done."""
        ...

    async def pending(self) -> int:
        """How much is under way at this instant."""
        ...

    def next_at(self) -> datetime | None:
        """The next legal moment at which there is something to do."""
        ...

    def drives(self) -> bool:
        """Whether legal time should go on for this actor's sake."""
        ...

    def running(self) -> AbstractAsyncContextManager[None]:
        """Background work while the process lives."""
        ...


class QuietActor:
    """An actor that only ever does something when called. Others override what differs."""

    handled: int = 0

    async def act(self, legal_now: datetime, leap_number: int) -> int:
        """Nothing is ever due."""
        return 0

    async def pending(self) -> int:
        """Nothing is under way between calls."""
        return 0

    def next_at(self) -> datetime | None:
        """No moment of its own."""
        return None

    def drives(self) -> bool:
        """Time need not go on for it."""
        return False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """No background work."""
        yield


def actor_app(name: str, actor: Actor, routers: Sequence[APIRouter] = ()) -> FastAPI:
    """The actor's HTTP side: the keeper's protocol and whatever the actor answers to others."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with actor.running():
            yield

    app = FastAPI(title=f"Sandbox: {name}", lifespan=lifespan)

    @app.get("/health")
    @app.get("/ready")
    async def ready() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/quiet")
    async def quiet() -> Quiet:
        return Quiet(pending=await actor.pending(), handled=actor.handled, next_at=actor.next_at(),
                     drives=actor.drives())

    @app.post("/act")
    async def act(body: Act) -> Acted:
        acted = await actor.act(body.legal_now, body.leap_number)
        actor.handled += acted
        return Acted(acted=acted)

    for router in routers:
        app.include_router(router)
    return app


def serve(app: FastAPI, settings: ActorSettings) -> None:
    """Serve until SIGTERM."""
    # Hazard: on uvloop a Kafka client that writes to a connection just closed is dead for good; not on asyncio's.
    uvicorn.run(app, host=settings.http_host, port=settings.http_port, log_level="warning", access_log=False,
                loop="asyncio")
