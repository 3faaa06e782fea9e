"""What the one form says about a household becomes facts; what it leaves open stays unknown."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from contracts.facts import FactName, FactValue
from contracts.http.application import SubmitApplication
from services.intake import declared_facts, rules
from tests.services.intake.forms import TODAY, a_form, a_person, an_identity_number

OF_SUPPORT = {FactName.SUPPORT_INCOME, FactName.SUPPORT_FROM_ELDERLY}
ALONE = {FactName.APPLIES_ALONE, FactName.FAMILY_INCOME, FactName.FAMILY_MEMBERS}


def a_supporter(*, born: date | None, monthly_support_fen: int | None = 60000) -> dict[str, Any]:
    return {"name": "试行父", "relation": "parent", "monthly_support_fen": monthly_support_fen,
            "identity_number": None if born is None else an_identity_number(born=born)}


def declared(elderly_from_age_years: int | None = 70, **fields: Any) -> dict[FactName, FactValue]:
    form = SubmitApplication.model_validate(a_form(**fields))
    told = declared_facts.of_household(form, TODAY, elderly_from_age_years=elderly_from_age_years)
    return {fact.name: fact.value for fact in told}


@pytest.mark.parametrize(("supporters", "support", "from_elderly"), [
    ([], 0, 0),
    ([a_supporter(born=date(1956, 3, 9))], 60000, 60000),  # 70 on the day itself
    ([a_supporter(born=date(1956, 3, 10))], 60000, 0),
    ([a_supporter(born=date(1940, 1, 1)), a_supporter(born=date(1990, 1, 1), monthly_support_fen=50000)],
     110000, 60000),
    ([a_supporter(born=None)], 60000, None),
    ([a_supporter(born=date(1940, 1, 1), monthly_support_fen=None)], None, None),
])
def test_support_of_the_elderly_is_told_apart_where_their_age_is_known(
        supporters: list[dict[str, Any]], support: int | None, from_elderly: int | None) -> None:
    told = declared(supporters=supporters)
    expected = {FactName.SUPPORT_INCOME: support, FactName.SUPPORT_FROM_ELDERLY: from_elderly}
    assert {name: value for name, value in told.items() if name in OF_SUPPORT} == {
        name: value for name, value in expected.items() if value is not None}


def test_where_the_place_disregards_nobodys_support_ages_are_not_looked_at() -> None:
    told = declared(None, supporters=[a_supporter(born=date(1940, 1, 1))])
    assert told.keys() & OF_SUPPORT == {FactName.SUPPORT_INCOME}


def test_one_who_applies_alone_tells_of_the_family_lived_with() -> None:
    told = declared(family_lived_with={"members_count": 3, "income_fen_month": 220000})
    assert {name: told[name] for name in ALONE} == {
        FactName.APPLIES_ALONE: True, FactName.FAMILY_MEMBERS: 3, FactName.FAMILY_INCOME: 220000}
    assert declared().keys() & ALONE == set()


def test_one_who_applies_alone_is_the_only_person_of_the_form() -> None:
    form = SubmitApplication.model_validate(a_form(
        persons=[a_person(), a_person(ref="other", relation="other")], family_lived_with={"members_count": 3}))
    checked = rules.check_form(form, role="citizen", office=None, today=TODAY)
    assert [fault.field for fault in checked.faults] == ["family_lived_with"]
