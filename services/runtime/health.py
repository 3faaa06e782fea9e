"""What a process tells about itself: alive, ready, quiet; and its dead letters, for operators."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from contracts.http.clock import Quiet
from services.runtime import dead_letters
from services.runtime.context import Runtime
from services.runtime.dead_letters import DeadLetter, DeadLetterNotFound
from services.runtime.http import Caller, Problem, get_runtime, require
from services.runtime.problems import PermanentError

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


@probes.get("/health")
async def health(runtime: RuntimeOf) -> dict[str, str]:
    """Alive: the process answers."""
    return {"service": runtime.name, "status": "alive"}


@probes.get("/ready")
async def ready(runtime: RuntimeOf) -> JSONResponse:
    """Ready: everything the process needs works. 503 otherwise; `checks` says what does not."""
    checks = await _checks(runtime)
    is_ready = all(check.ok for check in checks.values() if check.required)
    content: dict[str, Any] = {
        "service": runtime.name,
        "ready": is_ready,
        "checks": {name: check.model_dump() for name, check in checks.items()},
    }
    return JSONResponse(content, 200 if is_ready else 503)


@probes.get("/quiet")
async def quiet(runtime: RuntimeOf) -> Quiet:
    """Work under way. What cannot be counted just now counts as one: unknown is not quiet."""
    under_way = runtime.requests.open_count + runtime.running_activities.count
    for runner in runtime.loops.values():
        try:
            under_way += await runner.pending()
        except Exception:
            under_way += 1
    if runtime.consumers is not None:
        lag = await runtime.consumers.lag()
        under_way += 1 if lag is None else lag
    return Quiet(pending=under_way, handled=runtime.handled)


@dead_letter_routes.get("", dependencies=[OPERATOR])
async def list_dead_letters(runtime: RuntimeOf, limit: int = 100) -> list[DeadLetter]:
    """What could not be handled, oldest first, with its reason."""
    return await dead_letters.listing(runtime.database, min(max(limit, 1), LISTED_MAX))


@dead_letter_routes.get("/{letter_id}", dependencies=[OPERATOR])
async def show_dead_letter(runtime: RuntimeOf, letter_id: UUID) -> DeadLetter:
    """One dead letter with its record, as it came."""
    try:
        return await dead_letters.show(runtime.database, letter_id)
    except DeadLetterNotFound:
        raise _unknown(letter_id) from None


@dead_letter_routes.post("/{letter_id}/retry")
async def retry_dead_letter(
    runtime: RuntimeOf, letter_id: UUID, caller: Annotated[Caller, OPERATOR]
) -> DeadLetter:
    """Handle it again now that its cause is mended; it stays where that fails once more."""
    try:
        return await dead_letters.retry(runtime, letter_id)
    except DeadLetterNotFound:
        raise _unknown(letter_id) from None
    except PermanentError as error:
        detail = f"Dead letter {letter_id} failed again ({error.code}). Mend its cause first; it is kept."
        raise Problem(409, "failed_again", detail) from None


def _unknown(letter_id: UUID) -> Problem:
    return Problem(404, "dead_letter_not_found", f"There is no dead letter {letter_id} (any more).")


async def _checks(runtime: Runtime) -> dict[str, Check]:
    checks = {"database": await _database_check(runtime)}
    if runtime.consumers is not None:
        alive = runtime.consumers.alive
        checks["consumer"] = Check(
            ok=alive, detail="" if alive else "no partitions assigned, or its task is dead"
        )
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
