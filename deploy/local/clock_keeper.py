"""The clock's keeper (demo and tests only): leaps legal time forward when everybody is quiet.

Its own process. It watches `GET /quiet` of every process, calls `POST /act` of the sandbox's actors when
their moment has come, and leaps to the next moment at which somebody has something to do, as long as some
actor (the story player) wants time to go on. Production has no keeper, and this program refuses to be one
there.
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Literal

import uvicorn
from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from deploy.local.keeper_loop import ClockUnreadable, KeeperLoop, Waiting
from services.runtime import logging
from services.runtime.tokens import TokenRefused, TokenSigner, TokenVerifier


class KeeperSettings(BaseSettings):
    """Whom the keeper watches (`WATCHED_URLS`), whom it calls (`ACTOR_URLS`), and where the clock is."""

    model_config = SettingsConfigDict(env_prefix="ONETHING_", frozen=True)

    env: Literal["production", "demo"] = "production"
    database_dsn: str = Field(repr=False)
    http_host: str = "127.0.0.1"
    http_port: int
    log_level: str = "INFO"
    trusted_keys_file: Path
    signing_key_file: Path
    coordination_url: str
    watched_urls: dict[str, str]
    actor_urls: dict[str, str]


class Clock(BaseModel):
    """The clock, and whether and why it stands."""

    legal_now: AwareDatetime
    offset_us: int
    leap_number: int
    held: bool
    quiet: bool
    next_at: AwareDatetime | None = Field(description="where it would leap to next")
    hindered_by: str | None = Field(description="what keeps it from looking or from calling an actor")
    waiting_on: list[Waiting] = Field(description="who is not quiet, and how much is pending there")


class Leap(BaseModel):
    """Leap to a later legal moment; `force` does so although somebody is busy."""

    to: AwareDatetime
    force: bool = False


def keeper_of(request: Request) -> KeeperLoop:
    """The loop of this process."""
    return request.app.state.keeper


def keeper_only(request: Request, authorization: Annotated[str, Header()] = "") -> None:
    """Refuse whoever may not move the clock."""
    try:
        role = request.app.state.tokens.verify(authorization.removeprefix("Bearer ")).role
    except TokenRefused as refusal:
        raise HTTPException(401, f"Token refused: {refusal}.") from None
    if role not in ("keeper", "operator"):
        raise HTTPException(403, f"Role {role} may not move the clock; role keeper may.")


Keeper = Annotated[KeeperLoop, Depends(keeper_of)]
router = APIRouter()


@router.get("/health")
@router.get("/ready")
async def ready(keeper: Keeper) -> dict[str, str]:
    """Ready when the clock can be read."""
    await keeper.read_clock()
    return {"status": "ok"}


@router.get("/clock")
async def show(keeper: Keeper) -> Clock:
    """The clock now."""
    return await clock_of(keeper)


@router.post("/hold", dependencies=[Depends(keeper_only)])
async def hold(keeper: Keeper) -> Clock:
    """No leaps until released."""
    keeper.held = True
    return await clock_of(keeper)


@router.post("/release", dependencies=[Depends(keeper_only)])
async def release(keeper: Keeper) -> Clock:
    """Leap again when it is time."""
    keeper.held = False
    return await clock_of(keeper)


@router.post("/leap", dependencies=[Depends(keeper_only)])
async def leap(keeper: Keeper, body: Leap) -> Clock:
    """Leap by hand."""
    now = (await keeper.read_clock()).legal_now
    if body.to <= now:
        raise HTTPException(409, f"Legal time is {now.isoformat()} already; it never runs backward.")
    if not await keeper.leap_by_hand(body.to, force=body.force):
        busy = ", ".join(f"{other.process} ({other.pending})" for other in keeper.waiting_on)
        raise HTTPException(409, f"Not quiet: {busy or 'work just done'}. Wait, or leap with force.")
    return await clock_of(keeper)


async def clock_of(keeper: KeeperLoop) -> Clock:
    """The clock as the keeper sees it. Raises ClockUnreadable."""
    reading = await keeper.read_clock()
    return Clock(
        legal_now=reading.legal_now,
        offset_us=reading.offset_us,
        leap_number=reading.leap_number,
        held=keeper.held,
        quiet=keeper.quiet,
        next_at=keeper.next_at,
        hindered_by=keeper.hindered_by,
        waiting_on=keeper.waiting_on,
    )


async def unreadable(_: Request, refusal: Exception) -> JSONResponse:
    """The database is away: try again."""
    return JSONResponse({"detail": str(refusal)}, status_code=503)


def keeper_app(settings: KeeperSettings) -> FastAPI:
    """The keeper's HTTP side around its loop."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        loop = KeeperLoop(
            watched_urls=settings.watched_urls,
            actor_urls=settings.actor_urls,
            coordination_url=settings.coordination_url,
            signer=TokenSigner.from_file(settings.signing_key_file),
            database_dsn=settings.database_dsn,
        )
        app.state.keeper = loop
        tasks = [asyncio.create_task(loop.run()), asyncio.create_task(loop.save_each_second())]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await loop.close()

    app = FastAPI(title="Clock keeper", lifespan=lifespan)
    app.state.tokens = TokenVerifier.from_file(settings.trusted_keys_file, audience="keeper")
    app.add_exception_handler(ClockUnreadable, unreadable)
    app.include_router(router)
    return app


def main() -> None:
    """Serve until SIGTERM. Refuses production."""
    settings = KeeperSettings()  # pyright: ignore[reportCallIssue] - filled from the environment
    if settings.env == "production":
        sys.exit("ONETHING_ENV is production: legal time is the machine's there and nobody keeps it.")
    logging.configure("keeper", settings.log_level)
    uvicorn.run(
        keeper_app(settings),
        host=settings.http_host,
        port=settings.http_port,
        log_level="warning",
        log_config=None,
        access_log=False,
    )


if __name__ == "__main__":
    main()
