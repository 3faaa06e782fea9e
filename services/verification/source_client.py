"""One bulk request to a data source and how its behaviour is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

import structlog

from contracts.benefits import Source
from contracts.http.source import SourceAnswer, SourceAnswers, SourceQueries
from services.runtime.outside_party import PartyFailed, post_to_party, read_answer
from services.verification.settings import VerificationSettings

if TYPE_CHECKING:
    from services.runtime.process import Runtime

log = structlog.get_logger(__name__)

ANSWER_SECONDS_MAX: Final = 5.0
ACCEPTED: Final = 202


def is_connected(runtime: Runtime, source: Source) -> bool:
    """Whether anybody has told us where this source answers."""
    return source in cast(VerificationSettings, runtime.settings).source_urls


async def ask_source(runtime: Runtime, source: Source, request: SourceQueries) -> list[SourceAnswer]:
    """The answers there are now; none of them where the source answers later (202).

    What it says about questions of no part of this request is left out, with an alarm. Raises PartyFailed and
    BatchRefused.
    """
    client = runtime.client(cast(VerificationSettings, runtime.settings).source_urls[source], f"source:{source}")
    response = await post_to_party(client, "/queries", request, seconds_max=ANSWER_SECONDS_MAX)
    if response.status_code == ACCEPTED:
        return []
    answers = read_answer(response, SourceAnswers)
    if answers.request_id != request.request_id:
        # Hazard: another request's answers are about other people; not one of them is believed.
        log.error("source.answered_another_request", source=source)
        raise PartyFailed("answers_another_request")
    asked = {query.query_id for query in request.queries}
    strange = sum(answer.query_id not in asked for answer in answers.answers)
    if strange:
        log.error("source.answered_unasked", source=source, answers=strange)
    return [answer for answer in answers.answers if answer.query_id in asked]
