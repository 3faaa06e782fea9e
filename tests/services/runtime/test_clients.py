"""Calls to others: what may be repeated is, within a bound; a refusal is final and its words stay there."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest
import structlog
from joserfc.jwk import OKPKey

from contracts.processes import Leap
from services.runtime import clients
from services.runtime.clients import ATTEMPTS_MAX, Refused, ServiceClient
from services.runtime.problems import Unavailable
from services.runtime.tokens import Caller, TokenSigner, TokenVerifier

KEY = OKPKey.generate_key("Ed25519", {"kid": "verification"})
IDENTITY_NUMBER = "500116199001011234"


class Party:
    """Answers what it is told to, and then 200; keeps what it was asked."""

    def __init__(self, *outcomes: int | Exception) -> None:
        self.outcomes = list(outcomes)
        self.asked: list[httpx.Request] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        outcome = self.outcomes.pop(0) if self.outcomes else 200
        if isinstance(outcome, Exception):
            raise outcome
        return httpx.Response(outcome, json={"code": "case_not_found", "detail": IDENTITY_NUMBER})


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "FIRST_PAUSE_SECONDS", 0.0)


def client_of(party: Party) -> ServiceClient:
    return ServiceClient("http://intake", "intake", TokenSigner(KEY), httpx.MockTransport(party.answer))


@pytest.mark.parametrize("outcome", [503, 500, 429, httpx.ConnectError("refused"), httpx.ReadTimeout("late")])
async def test_what_may_be_repeated_is_repeated_until_it_works(outcome: int | Exception):
    party = Party(outcome, outcome)
    assert (await client_of(party).get("/cases/1")).status_code == 200
    assert len(party.asked) == 3


@pytest.mark.parametrize(
    ("repeatable", "attempts"),
    [({}, 1), ({"idempotency_key": "k"}, ATTEMPTS_MAX), ({"idempotent": True}, ATTEMPTS_MAX)],
)
async def test_a_post_is_repeated_only_where_that_is_safe(repeatable: dict[str, bool], attempts: int):
    party = Party(*[503] * 10)
    with pytest.raises(Unavailable, match="intake"):
        await client_of(party).post("/applications", Leap(), **repeatable)  # type: ignore[arg-type]
    assert len(party.asked) == attempts


async def test_a_refusal_is_final_and_is_not_passed_on_in_its_own_words():
    party = Party(404)
    with pytest.raises(Refused) as refused:
        await client_of(party).get("/cases/1")
    assert (refused.value.status, refused.value.code, len(party.asked)) == (404, "case_not_found", 1)
    assert IDENTITY_NUMBER not in str(refused.value)


async def test_every_call_carries_a_token_for_its_audience_and_the_correlation_id():
    party, correlation_id = Party(), str(uuid4())
    with structlog.contextvars.bound_contextvars(correlation_id=correlation_id):
        await client_of(party).post("/vault/seal", Leap(number=1), idempotency_key="k")
    headers = party.asked[0].headers
    verifier = TokenVerifier({"verification": OKPKey.import_key(KEY.as_dict(private=False))}, "intake")
    assert verifier.verify(headers["authorization"].removeprefix("Bearer ")) == Caller("verification", "service")
    assert (headers["x-correlation-id"], headers["idempotency-key"]) == (correlation_id, "k")
    assert party.asked[0].content == b'{"number":1,"offset_us":0}'
