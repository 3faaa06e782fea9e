"""Tokens: who may say what about whom."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey

from services.runtime.problems import Problem
from services.runtime.tokens import ALGORITHM, EVERYWHERE, Caller, TokenRefused, TokenSigner, TokenVerifier

KEYS = {
    issuer: OKPKey.generate_key("Ed25519", {"kid": issuer}) for issuer in ("idp", "intake", "verification")
}
STRANGER = OKPKey.generate_key("Ed25519", {"kid": "idp"})
OFFICER = Caller("officer:500116106:1", "officer", jurisdiction="500116106")


def public(key: OKPKey) -> OKPKey:
    return OKPKey.import_key(key.as_dict(private=False))


def verifier(audience: str = "approval") -> TokenVerifier:
    return TokenVerifier({issuer: public(key) for issuer, key in KEYS.items()}, audience)


def signed(signing_key: OKPKey, kid: str, **claims: Any) -> str:
    now = int(time.time())
    whole = {"iss": kid, "sub": "someone", "iat": now, "exp": now + 60, **claims}
    return jwt.encode({"alg": ALGORITHM, "kid": kid}, whole, signing_key, [ALGORITHM])


def test_a_persons_token_proves_role_and_place():
    token = TokenSigner(KEYS["idp"]).person_token(OFFICER, lifetime=timedelta(hours=8))
    assert verifier().verify(token) == OFFICER


def test_a_services_token_is_good_for_its_audience_only():
    token = TokenSigner(KEYS["intake"]).service_token("approval")
    assert verifier("approval").verify(token) == Caller("intake", "service")
    with pytest.raises(TokenRefused):
        verifier("disbursement").verify(token)


@pytest.mark.parametrize(
    ("key", "kid", "claims"),
    [
        pytest.param(
            "intake", "intake", {"role": "officer", "jurisdiction": "500116"}, id="a service as an officer"
        ),
        pytest.param("idp", "idp", {"role": "citizen", "sub": "citizen:\x00"}, id="a name with a NUL in it"),
        pytest.param(
            "intake",
            "intake",
            {"role": "service", "sub": "approval", "aud": "approval"},
            id="a service as another service",
        ),
        pytest.param(
            "intake", "intake", {"role": "service", "sub": "intake"}, id="a service without audience"
        ),
        pytest.param(
            "intake",
            "intake",
            {"role": "service", "sub": "intake", "aud": "approval", "exp": int(time.time()) + 7200},
            id="a service token of two hours",
        ),
        pytest.param("intake", "intake", {"iss": "idp", "role": "operator"}, id="another issuer's name"),
        pytest.param(
            "idp", "idp", {"role": "service", "aud": "approval"}, id="the identity provider as a service"
        ),
        pytest.param("idp", "idp", {"role": "emperor"}, id="an unknown role"),
        pytest.param("idp", "idp", {"role": "officer"}, id="an officer of nowhere"),
        pytest.param("idp", "idp", {"role": "officer", "jurisdiction": "%"}, id="a wildcard for a place"),
        pytest.param("idp", "idp", {"role": "officer", "jurisdiction": ""}, id="an empty place"),
        pytest.param("idp", "idp", {"role": "department"}, id="a department without code"),
        pytest.param("idp", "idp", {"role": "operator", "exp": int(time.time()) - 60}, id="expired"),
        pytest.param("idp", "idp", {"role": "operator", "iat": int(time.time()) + 86_400}, id="from the future"),
        pytest.param("idp", "idp", {"role": "operator", "sub": 7}, id="a subject that is no text"),
        pytest.param("idp", "nobody", {"role": "operator"}, id="an issuer nobody trusts"),
    ],
)
def test_refused(key: str, kid: str, claims: dict[str, Any]):
    with pytest.raises(TokenRefused):
        verifier().verify(signed(KEYS[key], kid, **claims))


def test_a_token_signed_with_a_strangers_key_is_refused():
    with pytest.raises(TokenRefused):
        verifier().verify(signed(STRANGER, "idp", role="operator"))


@pytest.mark.parametrize("token", ["", "a.b.c", "eyJhbGciOiJub25lIn0.eyJyb2xlIjoib3BlcmF0b3IifQ."])
def test_what_is_no_signed_token_is_refused(token: str):
    with pytest.raises(TokenRefused):
        verifier().verify(token)


def test_the_refusal_does_not_repeat_the_token():
    token = signed(STRANGER, "idp", role="operator")
    with pytest.raises(TokenRefused) as refused:
        verifier().verify(token)
    assert token.split(".")[1] not in str(refused.value)


def test_a_service_key_cannot_sign_for_a_person():
    with pytest.raises(ValueError, match="may not sign"):
        TokenSigner(KEYS["intake"]).person_token(OFFICER, lifetime=timedelta(hours=1))


@pytest.mark.parametrize(
    ("own", "other", "sees"),
    [
        ("5001", "500116106001", True),
        ("500116", "500116106", True),
        ("500116106", "500116106", True),
        ("500116106", "500116", False),
        ("500116", "500112", False),
        (None, "500116", False),
    ],
)
def test_an_officer_sees_their_place_and_what_lies_in_it(own: str | None, other: str, sees: bool):
    assert Caller("officer:1", "officer", jurisdiction=own).may_see(other) is sees


def test_without_a_place_only_services_and_operators_see_everything():
    assert Caller("intake", "service").scope == EVERYWHERE
    assert Caller("operator:1", "operator").scope == EVERYWHERE
    with pytest.raises(Problem):
        _ = Caller("citizen:1", "citizen").scope


def test_a_token_that_was_valid_is_refused_once_it_has_expired(monkeypatch: pytest.MonkeyPatch):
    token, checking = signed(KEYS["idp"], "idp", role="operator"), verifier()
    assert checking.verify(token) == checking.verify(token)
    later = time.time() + 600
    monkeypatch.setattr(time, "time", lambda: later)
    with pytest.raises(TokenRefused):
        checking.verify(token)


def test_no_more_tokens_are_remembered_than_fit(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("services.runtime.tokens.VERIFIED_TOKENS_KEPT", 2)
    checking = verifier()
    tokens = [signed(KEYS["idp"], "idp", role="operator", sub=f"operator:{number}") for number in range(4)]
    for token in [*tokens, *tokens]:
        assert checking.verify(token).role == "operator"
    assert len(checking._verified) == 2


def test_a_service_reuses_its_token_for_a_minute_towards_one_audience(monkeypatch: pytest.MonkeyPatch):
    signer, now = TokenSigner(KEYS["intake"]), time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    first = signer.service_token("approval")
    assert signer.service_token("approval") == first != signer.service_token("disbursement")
    now += 61
    assert signer.service_token("approval") != first
