"""What a process tells about itself: alive, ready, quiet; and its dead letters, for operators."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import structlog
from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from contracts.http.clock import Quiet
from services.runtime import dead_letter_retry, dead_letters
from services.runtime.context import Runtime
from services.runtime.dead_letter_limit import PARKED_AT_MOST
from services.runtime.dead_letter_retry import Retried
from services.runtime.dead_letters import DeadLetter, DeadLetterNotFound, OpenedDeadLetter
from services.runtime.http import Caller, Problem, get_runtime, require

log = structlog.get_logger(__name__)

OPERATOR = Depends(require("operator"))
FAILURES_UNTIL_RED = 5
LISTED_MAX = 500

probes = APIRouter(tags=["health"])
dead_letter_routes = APIRouter(prefix="/dead-letters", tags=["dead letters"])
RuntimeOf = Annotated[Runtime, Depends(get_runtime)]


class Check(BaseModel):
    """One thing readiness looks at."""

    ok: bool
    required: bool = True
    detail: str = ""


class Readiness(BaseModel):
    """Whether the process can do its work, and what it looked at."""

    service: str
    ready: bool
    checks: dict[str, Check]


@probes.get("/health")
async def health(runtime: RuntimeOf) -> dict[str, str]:
    """Alive: the process answers."""
    return {"service": runtime.name, "status": "alive"}


@probes.get("/ready", response_model=Readiness, responses={503: {"model": Readiness, "description": "Not ready"}})
async def ready(runtime: RuntimeOf) -> JSONResponse:
    """Ready: everything the process needs works. 503 otherwise; `checks` says what does not."""
    checks = await _checks(runtime)
    is_ready = all(check.ok for check in checks.values() if check.required)
    readiness = Readiness(service=runtime.name, ready=is_ready, checks=checks)
    return JSONResponse(readiness.model_dump(), 200 if is_ready else 503)


@probes.get("/quiet")
async def quiet(runtime: RuntimeOf) -> Quiet:
    """Work under way. What cannot be counted just now counts as one: unknown is not quiet."""
    under_way = runtime.requests.open_count + runtime.running_activities.count
    moments: list[datetime] = []
    for runner in runtime.loops.values():
        try:
            under_way += await runner.pending()
            moment = await runner.loop.next_at(runtime) if runner.loop.next_at is not None else None
            moments += [moment] if moment is not None else []
        except Exception:
            under_way += 1
    if runtime.consumers is not None:
        lag = await runtime.consumers.lag()
        under_way += 1 if lag is None else lag
    return Quiet(pending=under_way, handled=runtime.handled, next_at=min(moments, default=None))


@dead_letter_routes.get("", dependencies=[OPERATOR])
async def list_dead_letters(runtime: RuntimeOf, limit: int = 100) -> list[DeadLetter]:
    """What could not be handled, oldest first, with its reason."""
    return await dead_letters.listing(runtime.database, min(max(limit, 1), LISTED_MAX))


@dead_letter_routes.get("/{letter_id}")
async def show_dead_letter(
    runtime: RuntimeOf, letter_id: UUID, caller: Annotated[Caller, OPERATOR]
) -> OpenedDeadLetter:
    """One dead letter with its record, as it came. It may name a person: who opens it is logged."""
    try:
        opened = await dead_letters.show(runtime, letter_id)
    except DeadLetterNotFound:
        raise _unknown(letter_id) from None
    log.warning("dead_letter.opened", letter_id=str(letter_id), by=caller.subject)
    return opened


@dead_letter_routes.post("/{letter_id}/retry", dependencies=[OPERATOR])
async def retry_dead_letter(runtime: RuntimeOf, letter_id: UUID) -> Retried:
    """Handle it again now that its cause is mended, and what waits behind it. 409 where it fails once more."""
    try:
        return await dead_letter_retry.retry(runtime, letter_id)
    except DeadLetterNotFound:
        raise _unknown(letter_id) from None


@dead_letter_routes.delete("/{letter_id}")
async def discard_dead_letter(
    runtime: RuntimeOf, letter_id: UUID, caller: Annotated[Caller, OPERATOR]
) -> Retried:
    """Give it up for good; what waits behind it is handled."""
    try:
        discarded = await dead_letter_retry.discard(runtime, letter_id)
    except DeadLetterNotFound:
        raise _unknown(letter_id) from None
    log.warning("dead_letter.discarded", letter_id=str(letter_id), by=caller.subject)
    return discarded


class Resume(BaseModel):
    """How a consumer goes on that had stopped because too many records failed."""

    park_at_most: int = Field(default=PARKED_AT_MOST, ge=1, le=1_000_000)


@dead_letter_routes.post("/resume", dependencies=[OPERATOR])
async def resume_consumer(runtime: RuntimeOf, resume: Resume) -> dict[str, str]:
    """Consume again, and stop again once so many more records were parked."""
    assert runtime.consumers is not None, "these routes are there only for those who consume"
    await runtime.consumers.resume(runtime, park_at_most=resume.park_at_most)
    return {"service": runtime.name, "status": "consuming"}


def _unknown(letter_id: UUID) -> Problem:
    return Problem(404, "dead_letter_not_found", f"There is no dead letter {letter_id} (any more).")


async def _checks(runtime: Runtime) -> dict[str, Check]:
    checks = {"database": await _database_check(runtime)}
    if runtime.consumers is not None:
        alive = runtime.consumers.alive
        why = runtime.consumers.halted_because or "no partitions assigned, or its task is dead"
        checks["consumer"] = Check(ok=alive, detail="" if alive else why)
    if runtime.worker is not None:
        # Services work without Temporal; only the workflow worker is nothing without it.
        polls = runtime.worker.running and await runtime.temporal.answers()
        detail = "" if polls else "Temporal does not answer, or its worker does not run"
        checks["temporal"] = Check(ok=polls, required=runtime.needs_temporal, detail=detail)
    for name, runner in runtime.loops.items():
        healthy = runner.alive and runner.failures_in_a_row < FAILURES_UNTIL_RED
        detail = f"{runner.errors_count} errors so far, {runner.failures_in_a_row} in a row"
        checks[f"loop {name}"] = Check(ok=healthy, detail=detail if runner.errors_count else "")
    return checks


async def _database_check(runtime: Runtime) -> Check:
    try:
        await runtime.database.ping()
    except Exception as error:
        return Check(ok=False, detail=f"does not answer ({type(error).__name__})")
    return Check(ok=True)
