"""What must hold for every household: no negative sum, none above the limit, no gain from earning."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.benefits import Relation
from contracts.facts import FactValue
from services.rulebook import Member, assess
from services.rulebook.dated_parameters import get
from tests.rules.households import BAISHA, a_member, a_request

INCOMES = ("wage_fen_month", "pension_fen_month", "business_fen_month", "property_income_fen_month",
           "transfer_fen_month")
MOST_TOP_UP_FEN = 4000 + 10000
"""Per person: any disability, and the higher of the other two."""

persons = st.fixed_dictionaries({
    "born_on": st.dates(date(1930, 1, 1), date(2018, 1, 1)),
    "disability_grade": st.integers(0, 4),
    "serious_illness": st.booleans(),
    "in_full_time_education": st.booleans(),
    "alive": st.booleans(),
    **{name: st.integers(0, 100_000) for name in INCOMES},
})
households = st.fixed_dictionaries({
    "standard": st.sampled_from(["urban", "rural"]),
    "assets_within_local_limit": st.sampled_from([True, True, True, False]),
    "support_income_fen_month": st.integers(0, 200_000),
})
days = st.dates(date(2018, 1, 1), date(2026, 12, 31))


def _members(people: list[dict[str, FactValue]]) -> list[Member]:
    return [a_member(f"person {index}", relation=Relation.OTHER, **values)
            for index, values in enumerate(people)]


@settings(max_examples=200, deadline=None)
@given(people=st.lists(persons, min_size=1, max_size=6), household=households, on=days)
def test_amount_lies_between_nothing_and_standard_with_top_ups(
        people: list[dict[str, Any]], household: dict[str, Any], on: date) -> None:
    [answer] = assess([a_request(*_members(people), on=on, **household)])
    living = sum(person["alive"] for person in people)
    standard = get(f"dibao.standard.{household['standard']}", BAISHA, on).whole_number
    assert answer.outcome in ("grant", "refuse")
    assert bool(answer.reasons)
    if answer.amount_fen is None:
        assert answer.outcome == "refuse"
    else:
        assert 0 < answer.amount_fen <= living * (standard + MOST_TOP_UP_FEN)
        assert answer.amount_fen == sum(line.amount_fen for line in answer.lines)
        assert answer.lines[0].amount_fen <= living * standard


@settings(max_examples=200, deadline=None)
@given(people=st.lists(persons, min_size=1, max_size=4), household=households, on=days,
       income=st.sampled_from(INCOMES), more_fen=st.integers(1, 200_000))
def test_more_income_never_brings_more_money(
        people: list[dict[str, Any]], household: dict[str, Any], on: date, income: str,
        more_fen: int) -> None:
    richer = [people[0] | {income: people[0][income] + more_fen}, *people[1:]]
    before, after = assess([a_request(*_members(people), on=on, **household),
                            a_request(*_members(richer), on=on, **household)])
    assert (after.amount_fen or 0) <= (before.amount_fen or 0)
    assert not (before.outcome == "refuse" and after.outcome == "grant")
