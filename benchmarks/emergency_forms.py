"""Made-up small emergencies: forms as an officer keys them in, with identity numbers valid in form only."""

from __future__ import annotations

from datetime import date, timedelta

from pydantic import SecretStr
from stdnum.cn import ric

from contracts.benefits import Benefit, Relation, Standard
from contracts.events.application import Channel
from contracts.http.application import Account, Person, SmallSumRegistration, SubmitApplication, WhatHappened

TOWN = "500116001"
OFFICER = "officer:500116001:1"
HAPPENED_ON = date(2026, 3, 4)
AMOUNT_FEN = 630_00
FIRST_BIRTHDAY = date(1940, 1, 1)
PERSONS_PER_BIRTHDAY = 1_000


def identity_number(number: int) -> str:
    """The identity number of the so-manieth made-up person: no two are alike."""
    birthday = FIRST_BIRTHDAY + timedelta(days=number // PERSONS_PER_BIRTHDAY)
    stem = f"{TOWN[:6]}{birthday:%Y%m%d}{number % PERSONS_PER_BIRTHDAY:03d}"
    return stem + ric.calc_check_digit(stem + "0")


def emergency_form(number: int) -> SubmitApplication:
    """A fire, one person, a small sum at once (小额快救)."""
    applicant = Person(
        ref="applicant", name=SecretStr("陈某某"), identity_number=SecretStr(identity_number(number)),
        relation=Relation.APPLICANT, registered_area=TOWN,
    )
    return SubmitApplication(
        channel=Channel.OFFICER, benefits=[Benefit.TEMPORARY_ASSISTANCE], standard=Standard.RURAL,
        submitted_in=TOWN, living_area=TOWN, persons=[applicant],
        accounts=[Account(holder="applicant", bank="农业银行", number=SecretStr(f"6217000{number:012d}"))],
        what_happened=WhatHappened(cause="fire", happened_on=HAPPENED_ON, happened_in=TOWN),
        small_sum=SmallSumRegistration(amount_fen=AMOUNT_FEN), promise_of_truth=True,
    )
