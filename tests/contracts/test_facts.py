"""Which fact stands where several tell about the same thing."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest

from contracts.facts import Fact, FactName, Origin, strongest

PERSON = UUID(int=1)


def a_fact(origin: Origin, value: int, as_of: date = date(2025, 1, 6)) -> Fact:
    return Fact(person_id=PERSON, name=FactName.PENSION, value=value, origin=origin, as_of=as_of)


@pytest.mark.parametrize(("facts", "stands"), [
    ([a_fact(Origin.DECLARED, 1), a_fact(Origin.SHARED, 2)], 2),
    ([a_fact(Origin.SHARED, 2), a_fact(Origin.VISIT, 3)], 3),
    ([a_fact(Origin.DOCUMENT, 4), a_fact(Origin.DECLARED, 1)], 4),
    ([a_fact(Origin.SHARED, 2, date(2025, 1, 7)), a_fact(Origin.SHARED, 5)], 2),
])
def test_what_was_checked_stands_before_what_was_said_and_later_before_earlier(facts: list[Fact], stands: int) -> None:
    assert strongest(facts)[PERSON, FactName.PENSION].value == stands
    assert strongest(facts[::-1])[PERSON, FactName.PENSION].value == stands


@pytest.mark.parametrize("value", [True, False, 0, 61_000, "rural", date(1961, 4, 2)])
def test_a_value_keeps_its_kind_over_the_wire(value: object) -> None:
    fact = Fact(person_id=PERSON, name=FactName.STANDARD, value=value, origin=Origin.VISIT, as_of=date(2025, 1, 6))  # type: ignore[arg-type]
    again = Fact.model_validate_json(fact.model_dump_json())
    assert again == fact
    assert type(again.value) is type(value)
