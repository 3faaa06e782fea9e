"""The sources' process: all of them in one, each under its own path and with its own key."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import httpx
import structlog
from fastapi import APIRouter, HTTPException, Response
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey

from contracts.benefits import Source
from contracts.envelope import new_id
from contracts.http.source import SourceAnswer, SourceAnswers, SourceQueries, SourceQuery
from deploy.sandbox.actor import ActorSettings, QuietActor, actor_app, serve
from deploy.sandbox.sources.facts import Asked, Behaviour, Facts, Told, answer_of, answers_at, person_sha256
from deploy.sandbox.sources.ledger import Entry, Fact, Given, Late, Ledger
from deploy.sandbox.sources.manner import STATUSES, Manner, Way, answers_in, response_in
from deploy.sandbox.tokens import IdentityProvider

log = structlog.get_logger()

ANSWERS_PER_REQUEST = 1000


class Unreachable(Exception):
    """A source that answers no request."""


class Sources(QuietActor):
    """All data sources of the city."""

    def __init__(self, settings: ActorSettings, ledger: Ledger, keys: KeySet, identities: IdentityProvider) -> None:
        self._settings = settings
        self._keys: dict[str, OKPKey] = {str(key.kid): key for key in keys.keys if isinstance(key, OKPKey)}
        self._identities = identities
        self._client = httpx.AsyncClient(timeout=20)
        self.ledger = ledger
        self.handled = 0
        self._manners: dict[Source, Manner] = {}

    def tell(self, facts: Facts) -> None:
        """Take a story's word about one person."""
        person = person_sha256(facts.identity_number.get_secret_value())
        self.ledger.write(*(Entry(fact=Fact(person_sha256=person, source=source, told=told))
                            for source, told in facts.answers.items()))

    def behave(self, source: Source, manner: Manner) -> None:
        """From now on this source takes requests in this way."""
        self._manners[source] = manner

    def way(self, source: Source) -> Way:
        """How this source takes the request that has just come."""
        manner = self._manners.get(source, Manner())
        if manner.requests is not None:
            left = manner.requests - 1
            self._manners[source] = manner.model_copy(update={"requests": left}) if left else Manner()
        return manner.way

    def answer(self, source: Source, request: SourceQueries) -> list[SourceAnswer]:
        """The answers there are now. Raises Unreachable, JoseError or ValueError for what cannot be opened."""
        persons = [self._person(source, query) for query in request.queries]
        told = [self.ledger.told(person, source) for person in persons]
        # Where only some of a request are out of reach, the exchange in front of the source says so for those.
        if all(one.behaviour is Behaviour.UNREACHABLE for one in told):
            raise Unreachable
        answers: list[SourceAnswer] = []
        entries: list[Entry] = []
        for query, person, one in zip(request.queries, persons, told, strict=True):
            entries.append(Entry(asked=Asked(
                query_id=query.query_id, source=source, person_sha256=person, legal_time=request.legal_time,
                authorisation_number=query.authorisation_number,
            )))
            known = self.ledger.given.get(query.query_id)
            if known is not None:
                answers.append(known)
            elif one.late_days or one.late_hours:
                if query.query_id not in self.ledger.late:
                    entries.append(Entry(late=Late(query_id=query.query_id, source=source, told=one,
                                                   due_at=answers_at(one, request.legal_time))))
            elif one.behaviour is not Behaviour.SILENT:
                answers.append(self._given(one, query, request.legal_time, entries))
        self.ledger.write(*entries)
        self.handled += len(request.queries)
        return answers

    def next_at(self) -> datetime | None:
        """When the next late answer is due."""
        return min((late.due_at for late in self.ledger.late.values()), default=None)

    async def act(self, legal_now: datetime, leap_number: int) -> int:
        """Give the late answers that are due, each source for itself."""
        due: dict[Source, list[Late]] = {}
        for late in self.ledger.late.values():
            if late.due_at <= legal_now:
                due.setdefault(late.source, []).append(late)
        return sum([await self._answer_late(source, lates[:ANSWERS_PER_REQUEST], legal_now)
                    for source, lates in due.items()])

    def _person(self, source: Source, query: SourceQuery) -> str:
        opened = jwe.decrypt_compact(query.person, self._keys[f"source:{source}"])
        return person_sha256(str(json.loads(opened.plaintext or b"{}")["identity_number"]))

    def _given(self, told: Told, query: SourceQuery, as_of: datetime, entries: list[Entry]) -> SourceAnswer:
        answer = answer_of(told, query.query_id, as_of)
        if told.behaviour is Behaviour.ANSWERS:
            entries.append(Entry(given=Given(answer=answer)))
        return answer

    async def _answer_late(self, source: Source, lates: list[Late], legal_now: datetime) -> int:
        """Send answers to verification; while it is unreachable they stay due."""
        answers = [answer_of(late.told, late.query_id, legal_now) for late in lates]
        try:
            response = await self._client.post(
                f"{self._settings.verification_url}/sources/{source}/answers",
                content=SourceAnswers(request_id=new_id(), answers=answers).model_dump_json(),
                headers={"Content-Type": "application/json",
                         **self._identities.headers("actor", f"actor:source:{source}")},
            )
        except httpx.TransportError:
            return 0
        if response.status_code >= 500:
            return 0
        if response.is_error:
            log.warning("source.answers_refused", source=source, status=response.status_code)
        self.ledger.write(*(Entry(given=Given(answer=answer)) for answer in answers))
        return len(answers)


def routes(sources: Sources) -> APIRouter:
    """What the sources answer: questions, a story's facts, and what they were asked."""
    router = APIRouter()

    @router.post("/facts")
    async def facts(body: Facts) -> dict[str, str]:
        sources.tell(body)
        return {"status": "taken"}

    @router.get("/asked")
    async def asked() -> list[Asked]:
        return sources.ledger.asked

    @router.post("/{source}/manner")
    async def manner(source: Source, body: Manner) -> dict[str, str]:
        sources.behave(source, body)
        return {"status": "taken"}

    @router.post("/{source}/queries")
    async def queries(source: Source, body: SourceQueries, response: Response) -> Any:
        way = sources.way(source)
        if way in STATUSES:
            return Response(status_code=STATUSES[way])
        try:
            answers = sources.answer(source, body)
        except Unreachable:
            raise HTTPException(503, "The source is out of reach.") from None
        except (JoseError, ValueError, KeyError):
            raise HTTPException(422, "A person of this request cannot be read with this source's key.") from None
        answers = answers_in(way, answers)
        if not answers:
            response.status_code = 202
        return (response_in(way, body.request_id, answers)
                or SourceAnswers.model_construct(request_id=body.request_id, answers=answers))

    return router


def main() -> None:
    """Run the sources."""
    settings = ActorSettings()  # pyright: ignore[reportCallIssue]  # filled from the environment
    if not (settings.idp_key_file and settings.recipient_private_keys_file and settings.data_folder):
        raise ValueError("ONETHING_IDP_KEY_FILE, ONETHING_RECIPIENT_PRIVATE_KEYS_FILE and ONETHING_DATA_FOLDER "
                         "are needed.")
    keys = KeySet.import_key_set(json.loads(settings.recipient_private_keys_file.read_text()))
    sources = Sources(settings, Ledger(settings.data_folder), keys, IdentityProvider(settings.idp_key_file))
    serve(actor_app("sources", sources, [routes(sources)]), settings)


if __name__ == "__main__":
    main()
