"""Forms and people made up for tests: keyword-only builders that show what matters to the test."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any

from stdnum.cn import ric

TODAY = date(2026, 3, 9)
JIANGJIN = "500116"
BAISHA = "500116108"
JIJIANG = "500116001"
YUBEI = "500112"
SCOPE = ["social_security", "medical_insurance", "bank", "vehicles", "property", "disability", "civil_registry"]

_sequence = itertools.count(1)


def an_identity_number(*, born: date | None = None, area: str = JIANGJIN) -> str:
    """A number of nobody, another one each time."""
    count = next(_sequence)
    day = born or date(1970 + count // 28_000, 1 + count // 1_000 % 12, 1 + count // 12_000 % 28)
    stem = f"{area}{day:%Y%m%d}{count % 1_000:03d}"
    return stem + ric.calc_check_digit(stem + "0")


def a_person(*, ref: str = "lei", relation: str = "applicant", **fields: Any) -> dict[str, Any]:
    return {
        "ref": ref,
        "name": "雷试行",
        "identity_number": an_identity_number(),
        "relation": relation,
        "phone": "10055512345",
        "registered_area": BAISHA,
        "registered_address": "白沙镇试行路一号",
        **fields,
    }


def an_authorisation(name: str = "雷试行") -> dict[str, Any]:
    return {"method": "remote_code", "scope": SCOPE, "signed_name": name}


def an_account(*, holder: str = "lei") -> dict[str, Any]:
    return {"holder": holder, "bank": "试行农商银行", "number": f"6217009{next(_sequence):012d}"}


def a_form(**fields: Any) -> dict[str, Any]:
    """An application for dibao by phone, complete."""
    return {
        "channel": "phone",
        "benefits": ["dibao"],
        "standard": "rural",
        "submitted_in": BAISHA,
        "living_area": YUBEI,
        "living_address": "渝北区试行街二号",
        "persons": [a_person()],
        "accounts": [an_account()],
        "electricity_account": f"50011{next(_sequence):07d}",
        "promise_of_truth": True,
        **fields,
    }


def what_happened(**fields: Any) -> dict[str, Any]:
    return {
        "cause": "sudden_illness",
        "happened_on": "2026-03-08",
        "happened_in": BAISHA,
        "description": "雷试行突发重病",
        **fields,
    }


def a_small_emergency(*, amount_fen: int = 60_000, **fields: Any) -> dict[str, Any]:
    """A small sum at once, keyed in by an officer."""
    return a_form(**{
        "channel": "officer",
        "benefits": ["temporary_assistance"],
        "what_happened": what_happened(),
        "small_sum": {"amount_fen": amount_fen},
        **fields,
    })
