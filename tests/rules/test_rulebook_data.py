"""The rulebook's own data: areas, inheritance by place and day, and what is not known."""

from __future__ import annotations

from datetime import date
from string import Formatter

import pytest
from openfisca_core.parameters import ParameterNode

from contracts.facts import FactName
from services.rulebook import UnknownPlace, find_place, known_area, parent, place_name, places
from services.rulebook.benefit_rules import benefits
from services.rulebook.data_files import RULEBOOK
from services.rulebook.dated_parameters import DatedParameter, find, get, nearest_first
from services.rulebook.explanation import messages
from services.rulebook.places import rule_place
from services.rulebook.simulation import system_of
from tests.rules.households import BAISHA, JIANGJIN, ON, YUBEI


@pytest.mark.parametrize(("code", "known"), [
    (JIANGJIN, True), (BAISHA, True), ("500116108001", True), ("500116999", False), ("500116999001", False),
    ("500999", False), ("5001", False), ("50", False), ("cn", False), ("", False), ("50011610800", False),
    ("500116108abc", False), ("500116108００１", False),
])
def test_known_areas_are_counties_towns_and_any_village_of_a_town(code: str, known: bool) -> None:
    assert known_area(code) is known


def test_names_and_parents_lead_up_to_the_nation() -> None:
    assert place_name("500116108001") == "江津区白沙镇"
    assert place_name("50") == "重庆市"
    chain = [BAISHA]
    while (around := parent(chain[-1])) is not None:
        chain.append(around)
    assert chain == [BAISHA, JIANGJIN, "5001", "50", "cn"]
    with pytest.raises(UnknownPlace):
        place_name("999999")


@pytest.mark.parametrize(("text", "code"), [
    ("500116", JIANGJIN), ("江津区", JIANGJIN), ("江津区白沙镇", BAISHA), ("白沙镇", BAISHA), ("全国", "cn"),
    ("500116108001", "500116108001"),
])
def test_an_area_is_found_by_its_code_or_its_name(text: str, code: str) -> None:
    assert find_place(text).code == code


def test_a_name_of_several_areas_finds_none_of_them() -> None:
    with pytest.raises(ValueError, match=r"several are called so\. Name one by its code: .*陇县城关镇 610327100"):
        find_place("城关镇")


def test_every_code_continues_the_code_of_its_parent() -> None:
    assert [place.code for place in places().values()
            if place.parent not in (None, "cn") and not place.code.startswith(str(place.parent))] == []


def test_a_district_inherits_from_its_city_and_the_city_from_the_nation() -> None:
    assert get("dibao.terms.promised", BAISHA, ON).place == JIANGJIN
    assert get("dibao.standard.rural", BAISHA, ON) is get("dibao.standard.rural", YUBEI, ON)
    assert get("dibao.standard.rural", BAISHA, ON).place == "50"
    assert get("dibao.terms.investigate", BAISHA, ON).place == "cn"
    assert find("dibao.terms.promised", YUBEI, ON) is None
    assert (rule_place(BAISHA), rule_place("500112016")) == (JIANGJIN, "50")


def test_before_its_first_day_a_value_is_unknown_and_never_the_first_one() -> None:
    assert find("dibao.standard.rural", BAISHA, date(2017, 3, 31)) is None
    assert get("dibao.standard.rural", BAISHA, date(2017, 4, 1)).value == 35000


def test_null_ends_a_value() -> None:
    used = get("dibao.standard.rural", BAISHA, ON)
    parameter = DatedParameter((date(2025, 1, 1), date(2025, 2, 1)), (used, None))
    assert [parameter.at(day) for day in (date(2024, 12, 31), date(2025, 1, 31), date(2025, 2, 1))] == [
        None, used, None]


def test_where_a_county_ends_its_own_rule_the_citys_holds_again() -> None:
    fufeng = "610324"
    assert [(used.value, used.place) for day in (date(2022, 12, 31), date(2023, 1, 1))
            if (used := find("dibao.standard.urban", fufeng, day))] == [(50200, fufeng), (66200, "6103")]


def test_what_the_nearest_says_on_a_day_comes_before_what_is_newer_around_it() -> None:
    used = get("dibao.standard.rural", BAISHA, ON)
    other = used.model_copy(update={"value": 1})
    merged = nearest_first([DatedParameter((date(2020, 1, 1), date(2022, 1, 1)), (used, None)),
                            DatedParameter((date(2019, 1, 1), date(2021, 1, 1)), (other, other))])
    assert [merged.at(date(year, 6, 1)) for year in (2018, 2019, 2020, 2021, 2022)] == [None, other, used, used, other]


@pytest.mark.parametrize(("path", "area", "comparison"), [
    ("dibao_margin.income_comparison", "120101", "at_or_below"), ("dibao_margin.income_comparison", "500116", "below"),
])
def test_whether_a_sum_at_the_limit_is_within_it_differs_by_place(path: str, area: str, comparison: str) -> None:
    assert get(path, area, date(2025, 10, 1)).value == comparison


@pytest.mark.parametrize(("path", "area", "unit"), [
    ("dibao.terms.decide", "500116", "calendar_days"), ("dibao.terms.decide", "120101", "working_days"),
])
def test_the_unit_of_a_clock_differs_by_place(path: str, area: str, unit: str) -> None:
    assert get(path, area, ON).unit == unit


def test_openfisca_itself_reads_every_places_folder() -> None:
    for folder in (RULEBOOK / "parameters").iterdir():
        assert ParameterNode(folder.name, directory_path=str(folder)).children


def test_every_reason_has_chinese_english_and_a_clause() -> None:
    for code, message in messages().items():
        assert set(message) == {"zh", "en", "clause"}, code


def test_every_message_of_every_benefit_is_there_and_has_only_figures_that_are_calculated() -> None:
    told = set(system_of("50").variables) | {name.value for name in FactName} | {
        "count", "amount", "total", "standard_zh", "standard_en"}
    for benefit in benefits().values():
        codes = [code for condition in benefit.conditions for code in (condition.met, condition.not_met) if code]
        for code in (*codes, *(line.says for line in benefit.lines)):
            for language in ("zh", "en"):
                names = {name for _, name, _, _ in Formatter().parse(messages()[code][language]) if name}
                assert names <= told, (benefit.code, code, names - told)
