"""What the one form says, as facts of origin `declared`. What it leaves open stays unknown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from contracts.facts import Fact, FactName, FactValue, Origin
from contracts.http.application import Person, SubmitApplication
from services.intake.identity_number import IdentityNumber


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


def of_household(form: SubmitApplication, on: date) -> list[Fact]:
    """Facts about the household as a whole."""
    values: dict[FactName, FactValue | None] = {
        FactName.STANDARD: form.standard.value,
        FactName.BANK_BALANCE: form.assets.savings_fen,
        FactName.VEHICLES: form.assets.vehicles_count,
        FactName.HOMES: form.assets.homes_count,
        FactName.SUPPORT_INCOME: _support_fen_month(form),
    }
    return _facts(values, None, on)


def _support_fen_month(form: SubmitApplication) -> int | None:
    """Support from outside the household. A list given empty declares that there is none; left out, nothing is said."""
    if "supporters" not in form.model_fields_set:
        return None
    sums = [supporter.monthly_support_fen for supporter in form.supporters]
    known = [sum_fen for sum_fen in sums if sum_fen is not None]
    return sum(known) if len(known) == len(sums) else None


def _facts(values: Mapping[FactName, FactValue | None], person_id: UUID | None, on: date) -> list[Fact]:
    return [
        Fact(person_id=person_id, name=name, value=value, origin=Origin.DECLARED, as_of=on)
        for name, value in values.items()
        if value is not None
    ]
