"""The one form (一表申请): `POST /applications` of intake. Sizes are bounded; sums are integer fen."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field, SecretStr

from contracts.benefits import Benefit, Relation, Source, Standard
from contracts.events.application import Channel
from contracts.events.authorisation import SigningMethod
from contracts.http.message import Answer, Command

Fen = Annotated[int, Field(ge=0, le=100_000_000_00, strict=True)]
AreaCode = Annotated[str, Field(pattern=r"^(\d{6}|\d{9}|\d{12})$")]
Text = Annotated[str, Field(min_length=1, max_length=200)]
PersonRef = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,32}$")]
"""How the form refers to a person, before the person has an id."""

EmergencyCause = Annotated[str, Field(pattern=r"^(fire|accident|sudden_illness|flood|earthquake|death|other)$")]
"""What happened, as a code: free text could name people."""


class Income(Command):
    """Income of one person per month, averaged over the last twelve months (MZ/T 073 kinds)."""

    wage_fen_month: Fen | None = None
    pension_fen_month: Fen | None = None
    business_fen_month: Fen | None = None
    property_income_fen_month: Fen | None = None
    transfer_fen_month: Fen | None = None


class Disability(Command):
    """As on the certificate (GB/T 26341-2010)."""

    kind: Annotated[str, Field(pattern=r"^(visual|hearing|speech|physical|mental|intellectual|multiple)$")]
    grade: Annotated[int, Field(ge=1, le=4)]


class Authorisation(Command):
    """A person's electronic authorisation (电子授权) to query the named sources."""

    method: SigningMethod
    scope: Annotated[list[Source], Field(min_length=1, max_length=20)]
    signed_name: SecretStr = Field(max_length=60, description="The name as written on the screen.")


class Person(Command):
    """A member of the household."""

    ref: PersonRef
    name: SecretStr = Field(max_length=60)
    identity_number: SecretStr = Field(max_length=18, description="GB 11643, 18 characters.")
    relation: Relation
    phone: SecretStr | None = Field(default=None, max_length=20)
    registered_area: AreaCode
    registered_address: SecretStr | None = Field(default=None, max_length=200)
    income: Income = Income()
    serious_illness: bool | None = None
    able_to_work: bool | None = None
    in_full_time_education: bool | None = None
    disability: Disability | None = None
    authorisation: Authorisation | None = Field(default=None, description="Given in the same act, if it is.")


class Supporter(Command):
    """Someone outside the household who owes support."""

    name: SecretStr = Field(max_length=60)
    identity_number: SecretStr | None = Field(default=None, max_length=18)
    relation: Relation
    monthly_support_fen: Fen | None = None


class FamilyLivedWith(Command):
    """The family that one who applies alone lives with (单人户: the gravely disabled and the seriously ill)."""

    members_count: Annotated[int, Field(ge=1, le=30)] = Field(description="With the one who applies.")
    income_fen_month: Fen | None = Field(default=None, description="Of all of them together.")


class Account(Command):
    """Where money should go."""

    holder: PersonRef
    bank: Text
    number: SecretStr = Field(max_length=32)


class Property(Command):
    """Declared assets of the household."""

    savings_fen: Fen | None = None
    vehicles_count: Annotated[int, Field(ge=0, le=50)] | None = None
    homes_count: Annotated[int, Field(ge=0, le=50)] | None = None


class WhatHappened(Command):
    """The emergency, where there is one (突发事件)."""

    cause: EmergencyCause
    happened_on: date
    happened_in: AreaCode
    description: Annotated[str, Field(max_length=500)] | None = None


class SmallSumRegistration(Command):
    """A small sum at once (小额快救): the registering officer confirms it with this signature."""

    amount_fen: Annotated[int, Field(gt=0, le=100_000_00, strict=True)]


class OnBehalf(Command):
    """Who applies for the household (代办)."""

    reason: Text
    relation: Text


class SubmitApplication(Command):
    """The one form, whole."""

    channel: Channel
    benefits: Annotated[list[Benefit], Field(min_length=1, max_length=20)]
    standard: Standard = Field(description="Urban or rural registration decides which standard applies.")
    submitted_in: AreaCode
    living_area: AreaCode
    living_address: SecretStr | None = Field(default=None, max_length=200)
    persons: Annotated[list[Person], Field(min_length=1, max_length=30)]
    supporters: Annotated[list[Supporter], Field(max_length=30)] = []
    assets: Property = Property()
    accounts: Annotated[list[Account], Field(max_length=5)] = []
    family_lived_with: FamilyLivedWith | None = Field(
        default=None, description="Given where one person applies apart from the family they live with (单人户)."
    )
    electricity_account: SecretStr | None = Field(default=None, max_length=32)
    what_happened: WhatHappened | None = None
    small_sum: SmallSumRegistration | None = None
    on_behalf: OnBehalf | None = None
    near_relative_of_officer: bool = False
    promise_of_truth: bool = Field(description="The household promises that what it says is true (承诺).")


class WithdrawalReceipt(Answer):
    """`POST /items/{item_id}/withdraw`: nothing more is decided about the item, unless that had been done before."""

    item_id: UUID
    withdrawn_at: AwareDatetime


class ItemReceipt(Answer):
    """One item of the case as it stands after submission."""

    item_id: UUID
    benefit: Benefit
    status: str = Field(description="`accepted`, `supplement_requested`, `not_accepted`, or `received`: the "
                        "office that decides tells what becomes of it.")
    missing: list[str] = []


class PersonReceipt(Answer):
    """Which id a person of the form got."""

    ref: str
    person_id: UUID


class ApplicationReceipt(Answer):
    """What the applicant gets at once. It reveals nothing about other applications."""

    application_id: UUID
    case_id: UUID
    items: list[ItemReceipt]
    persons: list[PersonReceipt]


class SignAuthorisation(Command):
    """A person authorises later, from anywhere: `POST /authorisations`."""

    case_id: UUID
    person_id: UUID
    identity_number: SecretStr = Field(max_length=18, description="Shows that the signer is that person.")
    authorisation: Authorisation


class AuthorisationReceipt(Answer):
    """The letter's number."""

    authorisation_id: UUID
    number: str
