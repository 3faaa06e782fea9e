"""One bulk request to a data source and how its behaviour is read."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, cast

from pydantic import ValidationError

from contracts.benefits import Source
from contracts.http.source import SourceAnswer, SourceAnswers, SourceQueries
from services.runtime.clients import Refused
from services.runtime.problems import Unavailable
from services.verification.settings import VerificationSettings

if TYPE_CHECKING:
    from services.runtime.process import Runtime

ANSWER_SECONDS_MAX: Final = 5.0
ACCEPTED: Final = 202


class SourceFailed(Exception):
    """A source gave no usable response. `reason` goes on record; `passes` where asking again may help."""

    def __init__(self, reason: str, *, passes: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.passes = passes


async def ask_source(runtime: Runtime, source: Source, request: SourceQueries) -> list[SourceAnswer]:
    """The answers there are now; none of them where the source answers later (202). Raises SourceFailed."""
    url = cast(VerificationSettings, runtime.settings).source_urls.get(source)
    if url is None:
        raise SourceFailed("source_not_connected", passes=False)
    client = runtime.client(url, f"source:{source}")
    try:
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            response = await client.post("/queries", request)
    except TimeoutError:
        raise SourceFailed("timeout", passes=True) from None
    except Unavailable:
        raise SourceFailed("unreachable", passes=True) from None
    except Refused as refused:
        raise SourceFailed(f"request_refused: HTTP {refused.status}", passes=False) from None
    if response.status_code == ACCEPTED:
        return []
    try:
        answers = SourceAnswers.model_validate_json(response.content)
    except ValidationError:
        # Hazard: the message of this error repeats what the source sent.
        raise SourceFailed("response_not_readable", passes=False) from None
    return answers.answers
