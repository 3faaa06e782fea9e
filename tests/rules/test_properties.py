"""What must hold for every household: in every place, for every benefit, whatever is known."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.benefits import Benefit, Relation
from contracts.facts import Fact, FactName
from services.rulebook import Assessment, HouseholdFacts, Member, assess
from services.rulebook.assess import assess_benefits
from services.rulebook.benefit_rules import benefits
from services.rulebook.dated_parameters import find, get
from services.rulebook.evidence import fact_rules
from tests.rules.households import BAISHA, a_fact, a_member, a_request
from tests.rules.random_households import a_random_household

PLACES = [(BAISHA, date(2025, 1, 6)), (BAISHA, date(2019, 5, 1)), ("630102", date(2025, 3, 1)),
          ("120101", date(2025, 10, 8)), ("610303", date(2023, 6, 15)), ("540102", date(2021, 9, 10))]
INCOMES = (FactName.WAGE, FactName.PENSION, FactName.BUSINESS_INCOME, FactName.PROPERTY_INCOME,
           FactName.TRANSFER_INCOME)
MOST_TOP_UP_FEN = 4000 + 10000
"""Per person in Chongqing: any disability, and the higher of the other two."""
MEANS_TESTED = (Benefit.DIBAO, Benefit.TEKUN, Benefit.DIBAO_MARGIN, Benefit.RIGID_EXPENSE, Benefit.TEMPORARY_ASSISTANCE)
NOTCHES = {("120101", Benefit.DIBAO_MARGIN)}
"""Where more income may bring more: Tianjin's near-dibao begins above the standard, and has a payment of its own."""

chances = st.randoms(use_true_random=False)
places = st.sampled_from(PLACES)


def known(chance: random.Random, at: tuple[str, date]) -> HouseholdFacts:
    """A household of which everything is known."""
    household = a_random_household(chance, "known", 1.0)
    return household.model_copy(update={"place": at[0], "on": at[1]})


def told(household: HouseholdFacts) -> dict[Benefit, Assessment]:
    [answers] = assess_benefits([(household, list(benefits()))])
    return answers


def without(household: HouseholdFacts, chance: random.Random, share: float) -> HouseholdFacts:
    """The same household with some facts hidden, but for those that an office grants: not granted, they are not so."""
    def kept(facts: list[Fact]) -> list[Fact]:
        return [fact for fact in facts
                if fact_rules()[fact.name].absent_means is not None or chance.random() > share]

    members = [member.model_copy(update={"facts": kept(member.facts)}) for member in household.members]
    facts = kept(household.facts)
    return household.model_copy(update={"members": members, "facts": facts})


@settings(max_examples=150, deadline=None)
@given(chance=chances, at=places, share=st.sampled_from([0.02, 0.2]))
def test_hiding_a_fact_never_turns_a_refusal_into_a_grant_nor_a_grant_into_a_refusal_nor_changes_a_sum(
        chance: random.Random, at: tuple[str, date], share: float) -> None:
    household = known(chance, at)
    whole, hidden = told(household), told(without(household, chance, share))
    for code, answer in whole.items():
        if hidden[code].outcome != "evidence_missing" and answer.outcome != "evidence_missing":
            assert (code, hidden[code].outcome, hidden[code].amount_fen) == (code, answer.outcome, answer.amount_fen)


@settings(max_examples=150, deadline=None)
@given(chance=chances, at=places, income=st.sampled_from(INCOMES), more_fen=st.integers(1, 200_000))
def test_more_income_never_brings_more_of_what_is_means_tested(
        chance: random.Random, at: tuple[str, date], income: FactName, more_fen: int) -> None:
    household = known(chance, at)
    first = household.members[0]
    earned = next((fact.value for fact in first.facts if fact.name == income), 0)
    richer = first.model_copy(update={"facts": [
        *(fact for fact in first.facts if fact.name != income), a_fact(income, int(str(earned)) + more_fen)]})
    before, after = told(household), told(household.model_copy(update={"members": [richer, *household.members[1:]]}))
    for code in MEANS_TESTED:
        if (at[0], code) not in NOTCHES:
            assert (after[code].amount_fen or 0) <= (before[code].amount_fen or 0), code
            assert (before[code].outcome, after[code].outcome) != ("refuse", "grant"), code


@settings(max_examples=100, deadline=None)
@given(chance=chances, at=places)
def test_a_sum_is_whole_fen_not_negative_the_sum_of_its_lines_and_told_with_reasons(
        chance: random.Random, at: tuple[str, date]) -> None:
    for code, answer in told(known(chance, at)).items():
        assert bool(answer.reasons), code
        if answer.outcome == "grant" and answer.amount_fen is not None:
            assert answer.amount_fen >= 0, code
            assert answer.amount_fen == sum(line.amount_fen for line in answer.lines), code
        else:
            assert answer.amount_fen is None, code


@settings(max_examples=100, deadline=None)
@given(chance=chances, at=places)
def test_the_order_of_the_members_changes_nothing(chance: random.Random, at: tuple[str, date]) -> None:
    household = known(chance, at)
    members = list(household.members)
    chance.shuffle(members)
    before, after = told(household), told(household.model_copy(update={"members": members}))
    for code, answer in before.items():
        assert (answer.outcome, answer.amount_fen) == (after[code].outcome, after[code].amount_fen), code
        assert sorted(map(str, answer.lines)) == sorted(map(str, after[code].lines)), code


@settings(max_examples=100, deadline=None)
@given(chance=chances, at=st.sampled_from(PLACES[:3]))
def test_what_is_given_by_person_is_for_a_household_the_sum_of_its_persons(
        chance: random.Random, at: tuple[str, date]) -> None:
    """Orphans' money and the subsidies for the disabled and the old look at nobody else's means."""
    household = known(chance, at)
    together = told(household)
    apart = [told(household.model_copy(update={"members": [member]})) for member in household.members]
    for code in (Benefit.ORPHAN, Benefit.DE_FACTO_ORPHAN, Benefit.DISABILITY_CARE_SUBSIDY, Benefit.ELDERLY_SUBSIDY):
        assert (together[code].amount_fen or 0) == sum(answers[code].amount_fen or 0 for answers in apart), code


persons = st.fixed_dictionaries({
    "born_on": st.dates(date(1930, 1, 1), date(2018, 1, 1)),
    "disability_grade": st.integers(0, 4),
    "serious_illness": st.booleans(),
    "in_full_time_education": st.booleans(),
    **{name.value: st.integers(0, 100_000) for name in INCOMES},
})
days = st.dates(date(2018, 1, 1), date(2026, 12, 31))


def _members(people: list[dict[str, Any]]) -> list[Member]:
    return [a_member(f"person {index}", relation=Relation.OTHER, **values)
            for index, values in enumerate(people)]


@settings(max_examples=150, deadline=None)
@given(people=st.lists(persons, min_size=1, max_size=6), standard=st.sampled_from(["urban", "rural"]), on=days)
def test_dibao_lies_between_nothing_and_the_standard_with_top_ups(
        people: list[dict[str, Any]], standard: str, on: date) -> None:
    [answer] = assess([a_request(*_members(people), on=on, standard=standard)])
    limit = get(f"dibao.standard.{standard}", BAISHA, on).whole_number * len(people)
    if answer.amount_fen is not None:
        assert 0 < answer.amount_fen <= limit + len(people) * MOST_TOP_UP_FEN
        assert answer.lines[0].amount_fen <= limit


@settings(max_examples=50, deadline=None)
@given(chance=chances, at=places)
def test_no_sum_exceeds_the_cap_but_what_a_panel_decided_and_what_the_bereaved_get(
        chance: random.Random, at: tuple[str, date]) -> None:
    household = known(chance, at)
    beyond = {FactName.DECIDED_INDIVIDUALLY, FactName.BEREAVED}
    facts = [fact for fact in household.facts if fact.name not in beyond]
    facts += [a_fact(FactName.DECIDED_INDIVIDUALLY, False), a_fact(FactName.BEREAVED, 0)]
    answer = told(household.model_copy(update={"facts": facts}))[Benefit.TEMPORARY_ASSISTANCE]
    cap = find("temporary_assistance.cap", *at)
    if cap is not None and answer.amount_fen is not None:
        assert answer.amount_fen <= cap.whole_number
