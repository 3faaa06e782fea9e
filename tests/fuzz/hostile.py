"""Values, bodies and headers that nobody sends by accident: what broke services elsewhere, and ours."""

from __future__ import annotations

import base64
import copy
import json
import re
from typing import Any

from hypothesis import strategies as st

IDENTITY_NUMBER = "500116199001011234"
"""Of nobody (its check digit is wrong); put where it does not belong, it must not come back."""

NUMBERS: list[Any] = [0, -1, 2**31, 2**63 - 1, 2**63, 2**64, 10**30, 1e308, 0.1, int(IDENTITY_NUMBER)]
MOMENTS: list[Any] = [
    "0001-01-01", "9999-12-31", "2025-02-30", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00",
    "9999-12-31T23:59:59Z", "2025-01-06T00:00:00",
]
TEXTS: list[Any] = [
    "", " ", IDENTITY_NUMBER, f"身份证{IDENTITY_NUMBER}", f"{IDENTITY_NUMBER}\n", "x" * 5_000, "路" * 201, "\x00",
    "\ud800", "\x7f\x1b[2J", "\u202e", "%", "'; drop table cases; --", "٥٠٠١١٦", "500116\n",
    "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
]
SHAPES: list[Any] = [None, True, [], {}, [[]], {IDENTITY_NUMBER: IDENTITY_NUMBER}, [None] * 1_001]
VALUES = [*NUMBERS, *MOMENTS, *TEXTS, *SHAPES]
DAY = re.compile(r"\d{4}-\d\d-\d\d")
DEEP = 3_000
TOO_MUCH = 1_000_001

BODIES: list[bytes] = [
    b"", b"null", b"[]", b"{", b"NaN", b'"', b"\xff\xfe\xfd", b"[" * DEEP, b'{"a":' * DEEP, b" " * TOO_MUCH,
    b'{"a":1}' + b" " * 100, "x".encode("utf-16"), b'{"\xed\xa0\x80": 1}', b"1" * 5_000,
]
CONTENT_TYPES = [
    None, "text/plain", "application/json; charset=utf-16", "application/json;", "APPLICATION/JSON",
    "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "application/problem+json", "\xff",
]
TOKEN_SEGMENTS: list[Any] = [
    {"alg": "none"}, {"alg": "Ed25519", "kid": "idp"}, {"alg": "Ed25519", "kid": ["idp"]}, {"alg": "EdDSA"},
    {"alg": "HS256", "kid": "idp"}, {"alg": 1}, {"alg": "Ed25519", "kid": "idp", "crit": ["b64"], "b64": False},
    {"alg": "Ed25519", "kid": "idp", "zip": "DEF"}, [], None, "x", 1,
    {"sub": "x", "role": "operator", "iss": "idp", "exp": 1e308, "iat": 0},
]


def values_for(value: Any) -> st.SearchStrategy[Any]:
    """Something to put instead of a value, mostly of its kind, for the caller to keep and change."""
    alike = TEXTS
    if isinstance(value, int):
        alike = NUMBERS
    elif isinstance(value, str) and DAY.match(value):
        alike = MOMENTS
    return (st.sampled_from(alike) | st.sampled_from(VALUES)).map(copy.deepcopy)


def rewritten(body: bytes) -> st.SearchStrategy[bytes]:
    """The same JSON written otherwise: readers may differ about it, or must not take it."""
    text = body.decode()
    content = json.loads(body)
    twice = [text]
    if isinstance(content, dict) and content:
        name = json.dumps(next(iter(content)))
        # Of two fields of one name some readers take the first, some the last, and some look at the last only.
        twice = [f"{{{name}: {value}, {text[1:]}" for value in ("NaN", '"\\ud800"', "1e999", text)]
    return st.sampled_from([one.encode() for one in twice]) | st.sampled_from([
        text.encode("utf-16"), text.encode("utf-32-be"), b"\xef\xbb\xbf" + body, body[:-1], body + body,
        f"\n\t {text} ".encode(), body + b"\x00",
        json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogatepass"),
    ])


def headers() -> st.SearchStrategy[tuple[str, bytes] | None]:
    """A header that replaces what would be sent; a value that is empty drops it."""
    return st.none() | st.one_of(
        st.tuples(st.just("content-type"), st.sampled_from(CONTENT_TYPES).map(lambda value: _sent(value or ""))),
        st.tuples(st.just("idempotency-key"), st.sampled_from(
            [b"", b"short", b"k" * 80, b"k" * 81, IDENTITY_NUMBER.encode(), b"\xff" * 9, b" " * 9,
             "八个字的钥匙呀".encode()])),
        st.tuples(st.just("x-correlation-id"), st.sampled_from([IDENTITY_NUMBER.encode(), b"\xff", b"0" * 32])),
        st.tuples(st.just("authorization"), tokens()),
        st.tuples(st.just("accept"), st.sampled_from([b"text/html", b"application/xml", b"\xff"])),
    )


def tokens() -> st.SearchStrategy[bytes]:
    """Authorization headers that prove nothing."""
    segment = st.sampled_from(TOKEN_SEGMENTS).map(
        lambda content: base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"="))
    made = st.lists(segment, min_size=2, max_size=5).map(b".".join)
    plain = st.sampled_from([b"", b"x", b"..", b"a.b.c", b"\xff.\xff.\xff", b"x" * 20_000, IDENTITY_NUMBER.encode()])
    return st.one_of((made | plain).map(lambda token: b"Bearer " + token), st.sampled_from(
        [b"Bearer", b"Basic YTpi", b"bearer x y", b"\xff\xfe", IDENTITY_NUMBER.encode()]))


def _sent(text: str) -> bytes:
    return text.encode("latin-1")
