"""The city's sources: the same question gets the same answer, late ones come when their moment comes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient
from joserfc import jwe
from joserfc.jwk import KeySet, OKPKey

from contracts.benefits import Source
from contracts.envelope import new_id
from deploy.sandbox.actor import ActorSettings, actor_app
from deploy.sandbox.player.source_answers import source_answer
from deploy.sandbox.sources.app import Sources, routes
from deploy.sandbox.sources.ledger import Ledger
from deploy.sandbox.tokens import IdentityProvider

NOON = datetime(2025, 1, 6, 4, tzinfo=UTC)
LEI, HE = "500116196104020012", "500116197903150024"


class City:
    """The sources' process and what verification received from it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keys = {source: OKPKey.generate_key("X25519", {"kid": f"source:{source}"}) for source in Source}
        self.received: list[dict[str, object]] = []
        self.verification_is_down = False
        signing = folder / "idp.json"
        signing.write_text(json.dumps(OKPKey.generate_key("Ed25519", {"kid": "idp"}).as_dict(private=True)))
        self.identities = IdentityProvider(signing)
        self.start()

    def start(self) -> None:
        """Start it, anew on what it wrote down."""
        settings = ActorSettings(http_port=1, verification_url="http://verification")
        self.sources = Sources(settings, Ledger(self.folder), KeySet(list(self.keys.values())), self.identities)
        self.sources._client = httpx.AsyncClient(transport=httpx.MockTransport(self._verification))
        self.http = TestClient(actor_app("sources", self.sources, [routes(self.sources)]))

    def _verification(self, request: httpx.Request) -> httpx.Response:
        if self.verification_is_down:
            return httpx.Response(503)
        self.received.append({"path": request.url.path, **json.loads(request.content)})
        return httpx.Response(200, json={"taken": 1})

    def tell(self, number: str, **answers: dict[str, object]) -> None:
        """A story's word."""
        response = self.http.post("/facts", json={"identity_number": number, "answers": answers})
        assert response.status_code == 200, response.text

    def ask(self, source: Source, *numbers: str, query_ids: list[str] | None = None,
            sealed_to: Source | None = None) -> httpx.Response:
        """One bulk request about these persons."""
        query_ids = query_ids or [str(new_id()) for _ in numbers]
        return self.http.post(f"/{source}/queries", json={
            "request_id": str(new_id()), "legal_time": NOON.isoformat(), "queries": [
                {"query_id": query_id, "authorisation_number": "SQ-1",
                 "person": self._sealed(number, sealed_to or source)}
                for query_id, number in zip(query_ids, numbers, strict=True)
            ]})

    def act(self, legal_now: datetime) -> int:
        """The keeper calls."""
        body = {"legal_now": legal_now.isoformat(), "leap_number": 1}
        return self.http.post("/act", json=body).json()["acted"]

    def _sealed(self, number: str, source: Source) -> str:
        header = {"alg": "ECDH-ES", "enc": "A256GCM"}
        return jwe.encrypt_compact(header, json.dumps({"name": "雷某", "identity_number": number}), self.keys[source])


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    yield City(tmp_path)


@pytest.mark.parametrize("source", list(Source))
def test_whom_nobody_told_about_is_alive_and_has_no_record(city: City, source: Source):
    [answer] = city.ask(source, LEI).json()["answers"]
    alive = source is Source.CIVIL_REGISTRY
    assert (answer["kind"], answer["data"]) == (("data", {"alive": True}) if alive else ("no_record", {}))


def test_each_person_gets_their_own_answer(city: City):
    city.tell(LEI, bank={"kind": "data", "data": {"balance_fen": 310_000}})
    city.tell(HE, bank={"kind": "refused"})
    answers = city.ask(Source.BANK, LEI, HE).json()["answers"]
    assert [(one["kind"], one["data"]) for one in answers] == [("data", {"balance_fen": 310_000}), ("refused", {})]


def test_the_same_question_gets_the_same_answer_even_after_a_restart(city: City):
    query_id = str(new_id())
    first = city.ask(Source.BANK, LEI, query_ids=[query_id]).json()["answers"]
    city.tell(LEI, bank={"kind": "refused"})
    city.start()
    assert city.ask(Source.BANK, LEI, query_ids=[query_id]).json()["answers"] == first
    assert city.ask(Source.BANK, LEI).json()["answers"][0]["kind"] == "refused"


def test_a_late_answer_comes_when_its_legal_day_comes_and_once(city: City):
    city.tell(LEI, bank={"kind": "data", "data": {"balance_fen": 1}, "late_days": 3})
    assert city.ask(Source.BANK, LEI).status_code == 202
    assert city.http.get("/quiet").json()["next_at"] == "2025-01-09T04:00:00Z"
    assert city.act(NOON + timedelta(days=3, seconds=-1)) == 0
    city.verification_is_down = True
    assert city.act(NOON + timedelta(days=3)) == 0
    city.verification_is_down = False
    city.start()
    assert city.act(NOON + timedelta(days=3)) == 1
    assert city.act(NOON + timedelta(days=4)) == 0
    [received] = city.received
    assert received["path"] == "/sources/bank/answers"
    assert city.http.get("/quiet").json()["next_at"] is None


def test_a_silent_source_takes_the_question_and_never_answers(city: City):
    city.tell(LEI, bank={"behaviour": "silent"})
    assert city.ask(Source.BANK, LEI).status_code == 202
    assert city.http.get("/quiet").json()["next_at"] is None


def test_an_unreachable_source_answers_503_and_spares_others_of_the_request(city: City):
    city.tell(LEI, bank={"behaviour": "unreachable"})
    assert city.ask(Source.BANK, LEI).status_code == 503
    answers = city.ask(Source.BANK, LEI, HE).json()["answers"]
    assert [one["kind"] for one in answers] == ["no_answer", "no_record"]


def test_every_question_is_on_the_list_without_the_identity_number(city: City):
    city.ask(Source.VEHICLES, LEI)
    listed = city.http.get("/asked")
    [asked] = listed.json()
    assert (asked["source"], asked["authorisation_number"]) == ("vehicles", "SQ-1")
    assert datetime.fromisoformat(asked["legal_time"]) == NOON
    assert LEI not in listed.text + (city.folder / "sources.jsonl").read_text()


def test_a_request_sealed_to_another_source_is_refused(city: City):
    assert city.ask(Source.BANK, LEI, sealed_to=Source.VEHICLES).status_code == 422
    assert city.http.get("/asked").json() == []


def test_half_a_line_left_by_a_kill_is_forgotten(city: City):
    city.ask(Source.BANK, LEI)
    with (city.folder / "sources.jsonl").open("a") as file:
        file.write('{"asked": {"query')
    city.start()
    assert len(city.http.get("/asked").json()) == 1


def test_an_answer_may_be_late_by_hours(city: City):
    city.tell(LEI, bank={"kind": "data", "data": {"balance_fen": 1}, "late_hours": 5})
    assert city.ask(Source.BANK, LEI).status_code == 202
    assert city.http.get("/quiet").json()["next_at"] == "2025-01-06T09:00:00Z"


@pytest.mark.parametrize(("way", "answers", "questions"), [
    ("proper", 4, 4), ("half", 2, 2), ("twice", 8, 4), ("two_tales", 8, 4), ("strangers", 8, 8),
])
def test_a_source_told_to_misbehaves_only_for_itself_and_as_often_as_told(
    city: City, way: str, answers: int, questions: int
):
    numbers = [LEI, HE, "500116198001010011", "500116198101010012"]
    told = city.http.post("/bank/manner", json={"way": way, "requests": 1})
    assert told.status_code == 200, told.text
    assert len(city.ask(Source.VEHICLES, *numbers).json()["answers"]) == 4
    given = city.ask(Source.BANK, *numbers).json()["answers"]
    assert (len(given), len({answer["query_id"] for answer in given})) == (answers, questions)
    assert len(city.ask(Source.BANK, *numbers).json()["answers"]) == 4


@pytest.mark.parametrize(("way", "status"), [("fails", 500), ("refuses", 422), ("refuses_us", 401), ("huge", 200),
                                             ("malformed", 200), ("other_request", 200)])
def test_a_response_may_be_spoilt(city: City, way: str, status: int):
    city.http.post("/bank/manner", json={"way": way})
    assert city.ask(Source.BANK, LEI).status_code == status


@pytest.mark.parametrize(("word", "late"), [("late 3 days", {"late_days": 3}), ("late 5 hours", {"late_hours": 5})])
def test_a_story_s_word_for_late_names_days_or_hours(word: str, late: dict[str, int]):
    assert source_answer(word) == {"kind": "no_record", **late}
