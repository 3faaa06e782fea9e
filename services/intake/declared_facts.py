"""What the one form says, as facts of origin `declared`. What it leaves open stays unknown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from contracts.facts import Fact, FactName, FactValue, Origin
from contracts.http.application import Person, SubmitApplication, Supporter
from services.intake import identity_number
from services.intake.identity_number import IdentityNumber
from services.rulebook import age_years


def of_person(person: Person, person_id: UUID, identity: IdentityNumber, on: date) -> list[Fact]:
    """Facts about one member of the household; those not declared are absent."""
    income, disability = person.income, person.disability
    values: dict[FactName, FactValue | None] = {
        FactName.BORN_ON: identity.born_on,
        FactName.WAGE: income.wage_fen_month,
        FactName.PENSION: income.pension_fen_month,
        FactName.BUSINESS_INCOME: income.business_fen_month,
        FactName.PROPERTY_INCOME: income.property_income_fen_month,
        FactName.TRANSFER_INCOME: income.transfer_fen_month,
        FactName.SERIOUS_ILLNESS: person.serious_illness,
        FactName.ABLE_TO_WORK: person.able_to_work,
        FactName.IN_FULL_TIME_EDUCATION: person.in_full_time_education,
        FactName.DISABILITY_KIND: disability.kind if disability else None,
        FactName.DISABILITY_GRADE: disability.grade if disability else None,
    }
    return _facts(values, person_id, on)


def of_household(form: SubmitApplication, on: date, *, elderly_from_age_years: int | None) -> list[Fact]:
    """Facts about the household as a whole. `elderly_from_age_years`: from when the place disregards support, if so."""
    family, told = form.family_lived_with, "supporters" in form.model_fields_set
    values: dict[FactName, FactValue | None] = {
        FactName.STANDARD: form.standard.value,
        FactName.BANK_BALANCE: form.assets.savings_fen,
        FactName.VEHICLES: form.assets.vehicles_count,
        FactName.HOMES: form.assets.homes_count,
        FactName.SUPPORT_INCOME: _support_fen_month(form.supporters) if told else None,
        FactName.SUPPORT_FROM_ELDERLY:
            _from_elderly_fen_month(form.supporters, on, elderly_from_age_years) if told else None,
        FactName.APPLIES_ALONE: True if family else None,
        FactName.FAMILY_INCOME: family.income_fen_month if family else None,
        FactName.FAMILY_MEMBERS: family.members_count if family else None,
    }
    return _facts(values, None, on)


def _support_fen_month(supporters: Sequence[Supporter]) -> int | None:
    """Support from outside the household. A list given empty declares that there is none; left out, nothing is said."""
    known = [supporter.monthly_support_fen for supporter in supporters if supporter.monthly_support_fen is not None]
    return sum(known) if len(known) == len(supporters) else None


def _from_elderly_fen_month(supporters: Sequence[Supporter], on: date, from_age_years: int | None) -> int | None:
    """The part from those of that age; unknown where one has not said who they are, or what they give."""
    if from_age_years is None:
        return None
    elderly: list[Supporter] = []
    for supporter in supporters:
        if supporter.identity_number is None:
            return None
        identity = identity_number.parse(supporter.identity_number.get_secret_value(), today=on)
        if identity is None:
            return None
        if age_years(identity.born_on, on) >= from_age_years:
            elderly.append(supporter)
    return _support_fen_month(elderly)


def _facts(values: Mapping[FactName, FactValue | None], person_id: UUID | None, on: date) -> list[Fact]:
    return [
        Fact(person_id=person_id, name=name, value=value, origin=Origin.DECLARED, as_of=on)
        for name, value in values.items()
        if value is not None
    ]
