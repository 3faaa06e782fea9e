"""Made-up applications: forms as an officer keys them in, with identity numbers valid in form only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, Final

import orjson
from pydantic import SecretStr
from stdnum.cn import ric

from contracts.benefits import Benefit, Relation, Source, Standard
from contracts.events.application import Channel
from contracts.events.authorisation import SigningMethod
from contracts.http.application import (
    Account,
    Authorisation,
    Income,
    Person,
    SmallSumRegistration,
    SubmitApplication,
    WhatHappened,
)

TOWN = "500116001"
OFFICER = f"officer:{TOWN}:1"
HAPPENED_ON = date(2026, 3, 4)
AMOUNT_FEN = 630_00
FIRST_BIRTHDAY = date(1940, 1, 1)
PERSONS_PER_BIRTHDAY = 1_000
HOUSEHOLD = (Relation.APPLICANT, Relation.SPOUSE, Relation.PARENT)


def identity_number(number: int) -> str:
    """The identity number of the so-manieth made-up person: no two are alike."""
    birthday = FIRST_BIRTHDAY + timedelta(days=number // PERSONS_PER_BIRTHDAY)
    stem = f"{TOWN[:6]}{birthday:%Y%m%d}{number % PERSONS_PER_BIRTHDAY:03d}"
    return stem + ric.calc_check_digit(stem + "0")


def emergency(number: int) -> SubmitApplication:
    """A fire, one person, a small sum at once (小额快救)."""
    return SubmitApplication(
        channel=Channel.OFFICER, benefits=[Benefit.TEMPORARY_ASSISTANCE], standard=Standard.RURAL,
        submitted_in=TOWN, living_area=TOWN, persons=[_person(Relation.APPLICANT, number, signs=False)],
        accounts=[_account(number)],
        what_happened=WhatHappened(cause="fire", happened_on=HAPPENED_ON, happened_in=TOWN),
        small_sum=SmallSumRegistration(amount_fen=AMOUNT_FEN), promise_of_truth=True,
    )


def dibao_alone(number: int) -> SubmitApplication:
    """Dibao for one person without income, who authorises the check in the same act."""
    return _dibao(number, HOUSEHOLD[:1])


def dibao_household(number: int) -> SubmitApplication:
    """Dibao for a household of three adults, all of whom authorise in the same act."""
    return _dibao(number, HOUSEHOLD)


FORMS: Final[Mapping[str, Callable[[int], SubmitApplication]]] = {
    form.__name__: form for form in (emergency, dibao_alone, dibao_household)
}
"""By name, for the processes that are told which to use."""


def body_of(form: SubmitApplication) -> bytes:
    """The form as a client sends it: `model_dump_json` would mask what it says about people."""
    return orjson.dumps(form.model_dump(exclude_none=True), default=_revealed)


def _revealed(value: Any) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    raise TypeError(type(value).__name__)


def _dibao(number: int, relations: tuple[Relation, ...]) -> SubmitApplication:
    # Numbers of persons must not overlap between households of any size.
    persons = [_person(relation, number * len(HOUSEHOLD) + place, signs=True)
               for place, relation in enumerate(relations)]
    return SubmitApplication(
        channel=Channel.OFFICER, benefits=[Benefit.DIBAO], standard=Standard.RURAL, submitted_in=TOWN,
        living_area=TOWN, persons=persons, accounts=[_account(number)], promise_of_truth=True,
        supporters=[],  # given empty: there are none; left out it would say nothing, and be missing
    )


def _person(relation: Relation, number: int, *, signs: bool) -> Person:
    nothing = dict.fromkeys(Income.model_fields, 0)
    return Person(
        ref=relation.value, name=SecretStr("陈某某"), identity_number=SecretStr(identity_number(number)),
        relation=relation, registered_area=TOWN,
        **({
            "income": Income.model_validate(nothing), "serious_illness": False, "able_to_work": False,
            "in_full_time_education": False,
            "authorisation": Authorisation(method=SigningMethod.IN_PERSON, scope=list(Source),
                                           signed_name=SecretStr("陈某某")),
        } if signs else {}),
    )


def _account(number: int) -> Account:
    return Account(holder=Relation.APPLICANT.value, bank="农业银行", number=SecretStr(f"6217000{number:012d}"))
