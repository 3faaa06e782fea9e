"""The menu and the package: what could apply to a household, and the set that gives it most."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from contracts.benefits import Benefit, Relation
from services.rulebook import HouseholdFacts, Menu, menu, menus, read_household
from services.rulebook.benefit_rules import benefits
from services.rulebook.data_files import RULEBOOK
from tests.rules.households import YUBEI, a_member, a_request

TOLD = RULEBOOK / "tests" / "menus"


def a_household(*members: Any, **values: Any) -> HouseholdFacts:
    """As a_request, without a benefit."""
    asked = a_request(*members, **values)
    return HouseholdFacts(**{name: getattr(asked, name) for name in HouseholdFacts.model_fields})


def of(story: str) -> Menu:
    return menu(read_household(TOLD / f"{story}.yaml").facts())


def groups(told: Menu) -> dict[Benefit, str]:
    return {entry.benefit: entry.group for entry in told.entries}


@pytest.mark.parametrize(("story", "benefit", "group", "amount_fen"), [
    ("C8", Benefit.DIBAO, "qualifies", 195200),
    ("C8", Benefit.UNIVERSITY_GRANT, "qualifies", 50000),
    ("C8", Benefit.EDUCATION_AID, "may_qualify", None),  # the sums of 2024 were not read
    ("C8", Benefit.ELECTRICITY_WAIVER, "qualifies", 520),
    ("B2", Benefit.TEMPORARY_ASSISTANCE, "qualifies", 500000),  # set by the office
    ("B2", Benefit.DIBAO, "qualifies", 74400),  # tier A 495, half of 497 rounded up to 249
    ("B2", Benefit.MEDICAL_AID, "may_qualify", None),  # Shaanxi's rule was not found
    ("B3", Benefit.DIBAO, "qualifies", 60400),
    ("L1", Benefit.DIBAO, "may_qualify", None),  # Lhasa's standard of 2025 was not found
    ("L1", Benefit.EDUCATION_AID, "may_qualify", None),  # nor was a rule that gives 800
    ("L1", Benefit.UNIVERSITY_GRANT, "may_qualify", 100000),  # if dibao is granted
    ("L3", Benefit.DIBAO, "qualifies", 158667),  # (5,060 × 4 ÷ 12) − (1,600 − 1,500)
    ("L3", Benefit.MEDICAL_AID, "may_qualify", None),
    ("C7c", Benefit.DE_FACTO_ORPHAN, "qualifies", 325000),
])
def test_the_menu_lists_what_the_sources_say_they_got(story: str, benefit: Benefit, group: str,
                                                      amount_fen: int | None) -> None:
    [entry] = [entry for entry in of(story).entries if entry.benefit == benefit]
    assert (entry.group, entry.amount_fen) == (group, amount_fen)
    assert entry.reasons
    assert all(reason.zh and reason.en and reason.clause for reason in entry.reasons)
    if group == "may_qualify":
        assert entry.missing or entry.once_granted


def test_a_menu_has_every_benefit_once() -> None:
    assert [entry.benefit for entry in of("C8").entries] == list(benefits())


def test_what_follows_names_the_benefit_that_it_waits_for() -> None:
    entries = {entry.benefit: entry for entry in of("C8").entries}
    assert entries[Benefit.ELECTRICITY_WAIVER].once_granted == Benefit.DIBAO
    assert entries[Benefit.DIBAO].once_granted is None


def test_what_follows_a_benefit_that_may_be_had_may_be_had_as_well() -> None:
    told = menu(a_household(without=("assets_within_local_limit",)))
    assert groups(told)[Benefit.DIBAO] == groups(told)[Benefit.ELECTRICITY_WAIVER] == "may_qualify"
    assert told.package.benefits == []


def test_what_a_household_is_recognised_as_already_is_not_asked_again() -> None:
    told = menu(a_household(recognised_as="dibao", place=YUBEI))
    [waiver] = [entry for entry in told.entries if entry.benefit == Benefit.ELECTRICITY_WAIVER]
    assert (waiver.group, waiver.once_granted) == ("qualifies", None)


def test_benefits_that_exclude_each_other_are_solved_for_the_best_total_and_shown() -> None:
    man = a_member(born_on=date(2001, 1, 1), disability_grade=2, disability_kind="intellectual", able_to_work=False,
                   has_able_supporter=False, self_care_failed_items=0, lives_in_institution=False)
    told = menu(a_household(man, on=date(2024, 9, 2)))
    assert groups(told)[Benefit.TEKUN] == groups(told)[Benefit.DIBAO] == "qualifies"
    assert Benefit.TEKUN in told.package.benefits
    assert told.package.left_out[Benefit.DIBAO] == Benefit.TEKUN
    together = [entry for entry in told.entries if entry.benefit in told.package.benefits]
    assert told.package.year_fen == sum(entry.year_fen or 0 for entry in together)
    [waiver] = [entry for entry in told.entries if entry.benefit == Benefit.ELECTRICITY_WAIVER]
    assert waiver.once_granted == Benefit.TEKUN


def test_papers_are_asked_for_only_where_no_source_can_tell() -> None:
    ill = a_member(without=("serious_illness", "wage_fen_month"))
    [dibao] = [entry for entry in menu(a_household(ill)).entries if entry.benefit == Benefit.DIBAO]
    assert {fact.name for fact in dibao.missing} == {"serious_illness", "wage_fen_month"}
    assert dibao.papers == []


def test_what_is_only_declared_is_enough_for_a_menu_and_never_for_a_decision() -> None:
    told = read_household(TOLD / "C8.yaml").facts()
    declared = [member.model_copy(update={"facts": [
        fact.model_copy(update={"origin": "declared", "source": None}) for fact in member.facts if fact.name != "alive"
    ]}) for member in told.members]
    facts = [fact.model_copy(update={"origin": "declared", "source": None}) for fact in told.facts]
    household = told.model_copy(update={"members": declared, "facts": facts})
    assert groups(menu(household))[Benefit.DIBAO] == "may_qualify"
    taken = menu(household.model_copy(update={"as_declared": True}))
    assert groups(taken)[Benefit.DIBAO] == "qualifies"


def test_a_batch_tells_what_single_menus_tell() -> None:
    households = [read_household(file).facts() for file in sorted(TOLD.glob("*.yaml"))]
    assert menus(households) == [menu(household) for household in households]


def test_the_same_person_cannot_be_in_a_household_twice() -> None:
    with pytest.raises(ValueError, match="members: one person is named twice"):
        a_household(a_member(), a_member(relation=Relation.SPOUSE))


def test_a_person_cannot_be_in_two_households_of_a_batch() -> None:
    alone, together = a_household(a_member("one")), a_household(a_member("one"), a_member("another"))
    with pytest.raises(ValueError, match=r"members: person .* is in household"):
        menus([alone, together])


@pytest.mark.parametrize(("file", "says"), [
    ("place: 无此地\nday: 2025-01-06\nmembers: {a: {}}", "place: Area 无此地: not in the rulebook"),
    ("place: 江津区\nday: 2025-01-06\nmembers: {a: {wage_fen_month: -1}}", "members.a.wage_fen_month: -1 cannot"),
    ("place: 江津区\nday: 2025-01-06\nmembers: {a: {standard: rural}}", "members.a.standard: standard is a fact about"),
    ("place: 江津区\nday: 2025-01-06\nmembers: {a: {luck: 1}}", "members.a.luck"),
    ("place: 江津区\nday: 2025-01-06\nmembers: {}", "members"),
    ("place: 江津区\nmembers: {a: {}}", "day: Field required"),
    ("place: [", "cannot be read"),
])
def test_a_bad_file_is_refused_by_file_and_field(file: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "household.yaml"
    path.write_text(file, encoding="utf-8")
    with pytest.raises(ValueError) as refused:
        read_household(path)
    assert str(path) in str(refused.value)
    assert says in str(refused.value) or says == "cannot be read"
