"""The intake process with one addition: it hands made-up forms in to its own use case, without HTTP.

`POST /forms` makes the forms ready, `POST /load` hands them in. Each transaction is intake's own, so its commit
wakes intake's relay as in production.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from benchmarks.harness.forms import FORMS, OFFICER, TOWN
from benchmarks.harness.load import moments
from services.intake.app import service
from services.intake.submit_application import Idempotency, Submission, submit_applications
from services.runtime.context import Runtime
from services.runtime.http import get_runtime
from services.runtime.problems import Problem
from services.runtime.process import run
from services.runtime.tokens import Caller

CALLER = Caller(subject=OFFICER, role="officer", jurisdiction=TOWN)
FINGERPRINT_BYTES = 32

router = APIRouter(tags=["benchmark"])


class MakeForms(BaseModel):
    """Forms of one kind for `cases` cases, from the number `first` on."""

    kind: str
    first: int
    cases: int


class HandIn(BaseModel):
    """How the forms that are ready are handed in."""

    batch: int = 1
    per_second: float | None = None
    hands: int = 1


class HandedIn(BaseModel):
    """When the first form was handed in, by the database's clock."""

    started_at: datetime


@dataclass
class Ready:
    """Forms made ready and not handed in yet."""

    submissions: list[Submission] = field(default_factory=list[Submission])


ready = Ready()


@router.post("/forms", status_code=204)
async def make_forms(asked: MakeForms) -> None:
    """Fill the forms in beforehand: what is measured begins with the use case."""
    ready.submissions = [
        _submission(asked.kind, number) for number in range(asked.first, asked.first + asked.cases)
    ]


@router.post("/load")
async def hand_in(asked: HandIn, runtime: Annotated[Runtime, Depends(get_runtime)]) -> HandedIn:
    """Hand the forms in; raises the first refusal, for a benchmark that measures refusals measures nothing."""
    async with runtime.database.transaction() as tx:
        started_at: datetime = await tx.driver.fetchval("select clock_timestamp()")
    submissions, ready.submissions = ready.submissions, []

    async def hand_in_part(part: Sequence[Submission]) -> None:
        async for some in moments(part, batch=asked.batch, per_second=asked.per_second):
            async with runtime.database.transaction() as tx:
                for outcome in await submit_applications(tx, some):
                    if isinstance(outcome, Problem):
                        raise outcome

    await asyncio.gather(*(hand_in_part(submissions[number :: asked.hands]) for number in range(asked.hands)))
    return HandedIn(started_at=started_at)


def _submission(kind: str, number: int) -> Submission:
    idempotency = Idempotency(key=f"benchmark-{kind}-{number}", fingerprint=secrets.token_bytes(FINGERPRINT_BYTES))
    return Submission(CALLER, FORMS[kind](number), idempotency)


if __name__ == "__main__":
    run(replace(service, routers=[*service.routers, router]))
