"""The whole register at once: the same rules, the same answers."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import numpy as np
import pytest

from contracts.benefits import Benefit
from contracts.facts import FactName
from services.rulebook import Assessment
from services.rulebook.assess import assess_benefits
from services.rulebook.benefit_rules import benefits
from services.rulebook.register import Register, register_of
from services.rulebook.screening import GRANTED, REFUSED, UNKNOWN, screen
from tests.rules.households import BAISHA, ON, a_member, a_request
from tests.rules.random_households import a_random_household

OUTCOMES = {"grant": GRANTED, "refuse": REFUSED, "evidence_missing": UNKNOWN}


LIVING = [Benefit.DIBAO, Benefit.TEKUN, Benefit.TEMPORARY_ASSISTANCE]


@pytest.mark.parametrize(("place", "on", "count", "codes"), [
    (BAISHA, ON, 10_000, LIVING), (BAISHA, date(2025, 7, 1), 500, list(benefits())),
    ("630102", date(2025, 3, 1), 500, list(benefits())), ("120101", date(2025, 10, 8), 500, list(benefits())),
    ("610303", date(2023, 6, 15), 500, list(benefits())),
    ("610113", date(2021, 8, 2), 200, list(benefits())),  # the method of rural dibao is not known, that of urban is
    ("120101", date(2020, 3, 2), 200, list(benefits())),  # how a payment would be made is not known of all
])
def test_the_bulk_result_equals_the_single_result(place: str, on: date, count: int, codes: list[Benefit]) -> None:
    chance = random.Random(f"{place} {on}")
    households = [a_random_household(chance, str(number), chance.choice([1.0, 1.0, 0.97])).model_copy(
        update={"place": place, "on": on}) for number in range(count)]
    register, there = register_of(households)
    single = assess_benefits([(households[index], codes) for index in there])
    bulk = screen(place, on, register, codes)
    told: set[tuple[Benefit, str]] = set()
    for code in codes:
        answers: list[Assessment] = [answer[code] for answer in single]
        told |= {(code, answer.outcome) for answer in answers}
        assert bulk[code].outcome.tolist() == [OUTCOMES[answer.outcome] for answer in answers], code
        assert bulk[code].amount_fen.tolist() == [answer.amount_fen or 0 for answer in answers], code
    assert {outcome for _, outcome in told} == set(OUTCOMES)


def test_it_finds_who_is_missed_and_who_is_wrongly_paid_and_is_silent_where_it_does_not_know() -> None:
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("poor", {}), ("rich", {"wage_fen_month": 900_000}), ("unknown", {"without": ("wage_fen_month",)})]
    register, _ = register_of([a_request(a_member(f"{name} {again}", **values))
                               for again in range(2) for name, values in kinds])
    register.receives[Benefit.DIBAO] = np.array([False, False, False, True, True, True])
    found = screen(BAISHA, ON, register, [Benefit.DIBAO])[Benefit.DIBAO]
    assert (found.missed.tolist(), found.wrongly_paid.tolist()) == ([0], [4])
    assert found.amount_fen.tolist() == [61000, 0, 0, 61000, 0, 0]


def test_a_person_in_two_households_is_refused() -> None:
    with pytest.raises(ValueError, match=r"members: person .* is in two households"):
        register_of([a_request(a_member("one")), a_request(a_member("one"), a_member("another"))])


def test_parts_of_the_register_are_screened_as_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(7)
    register, _ = register_of([a_random_household(chance, str(number), 0.97) for number in range(50)])
    whole = screen(BAISHA, ON, register, [Benefit.DIBAO])[Benefit.DIBAO]
    monkeypatch.setattr("services.rulebook.screening.HOUSEHOLDS_AT_ONCE", 7)
    in_parts = screen(BAISHA, ON, register, [Benefit.DIBAO])[Benefit.DIBAO]
    assert whole.outcome.tolist() == in_parts.outcome.tolist()
    assert whole.amount_fen.tolist() == in_parts.amount_fen.tolist()


@pytest.mark.parametrize(("change", "says"), [
    ({"sizes": np.array([1, 0])}, "sizes: every household has a member"),
    ({"facts": {FactName.WAGE: np.array([1])}}, "wage_fen_month: 1 values for 2"),
    ({"facts": {FactName.WAGE: np.array([1, -1])}}, "wage_fen_month: a value below zero"),
    ({"receives": {Benefit.DIBAO: np.array([True])}}, "receives dibao: 1 values for 2"),
])
def test_a_register_that_does_not_fit_is_refused_by_the_name_of_the_array(change: dict[str, Any], says: str) -> None:
    whole: dict[str, Any] = {"sizes": np.array([1, 1]), "facts": {}, **change}
    with pytest.raises(ValueError, match=says):
        Register(**whole)
