"""The rulebook's own data: areas, inheritance, references, and the check that guards them."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest
from openfisca_core.parameters import ParameterNode

from services.rulebook import UnknownPlace, check_rulebook, known_area, parent, place_name, places
from services.rulebook.check import parameter_faults
from services.rulebook.data_files import RULEBOOK, read_yaml
from services.rulebook.dated_parameters import DatedParameter, find, get
from services.rulebook.places import rule_place
from tests.rules.households import BAISHA, JIANGJIN, ON, YUBEI

GOOD = """description: Standard
values:
  2024-09-01: {value: 61000}
  2025-07-01: {value: 63000}
metadata:
  unit: fen
  last_checked_on: 2026-11-01
  reference:
    2024-09-01: {title: "重庆日报", verified: true}
    2025-07-01: {title: "渝民规〔2025〕6号", verified: true}
"""


def test_the_rulebook_has_no_fault() -> None:
    assert check_rulebook() == []


@pytest.mark.parametrize(("old", "new", "fault"), [
    ("  unit: fen\n", "", "no unit"),
    ("  last_checked_on: 2026-11-01\n", "", "no last_checked_on"),
    ('    2025-07-01: {title: "渝民规〔2025〕6号", verified: true}\n', "", "2025-07-01: no reference"),
    ('title: "渝民规〔2025〕6号", ', "", "2025-07-01: no reference with a title"),
    ('"渝民规〔2025〕6号", verified: true', '"渝民规〔2025〕6号"', "does not say whether it is verified"),
    ("  2025-07-01: {value: 63000}", "  2024-09-01: {value: 63000}", "key given twice: 2024-09-01"),
    ("  2025-07-01: {value: 63000}", "  2024-08-01: {value: 63000}", "dates are not in order"),
    ("  2025-07-01: {value: 63000}", "  July: {value: 63000}", "no date"),
    ("{value: 63000}", "{value: 630.5}", "no whole number of fen"),
    ("{value: 63000}", "{}", "2025-07-01: no value"),
    ("  2025-07-01: {value: 63000}\n", "", "reference of 2025-07-01, which has no value"),
    ("description: Standard\n", "", "no description"),
])
def test_the_check_finds(tmp_path: Path, old: str, new: str, fault: str) -> None:
    file = tmp_path / "standard.yaml"
    file.write_text(GOOD, encoding="utf-8")
    assert parameter_faults(file) == []
    assert old in GOOD
    file.write_text(GOOD.replace(old, new), encoding="utf-8")
    assert any(fault in found for found in parameter_faults(file)), parameter_faults(file)


@pytest.mark.parametrize(("old", "new", "fault"), [
    ('parent: "5001", parameters: jiangjin', 'parent: "5009", parameters: jiangjin',
     "place 500116: no parent '5009'"),
    ("parameters: jiangjin", "parameters: fuling", "folder jiangjin: no place names it"),
    ("parameters: jiangjin", "parameters: fuling", "folder fuling: named by a place, not there"),
    ("parameters: jiangjin", "parameters: chongqing", "folder chongqing: named by more than one place"),
])
def test_the_check_finds_a_place_that_does_not_fit(tmp_path: Path, old: str, new: str, fault: str) -> None:
    shutil.copytree(RULEBOOK / "parameters", tmp_path / "parameters")
    text = (RULEBOOK / "places.yaml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "places.yaml").write_text(text.replace(old, new), encoding="utf-8")
    assert fault in " ".join(check_rulebook(tmp_path))


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


def test_openfisca_itself_reads_every_places_folder() -> None:
    for folder in (RULEBOOK / "parameters").iterdir():
        assert ParameterNode(folder.name, directory_path=str(folder)).children


def test_every_reason_has_chinese_english_and_a_clause() -> None:
    for code, message in read_yaml(RULEBOOK / "messages.yaml").items():
        assert set(message) == {"zh", "en", "clause"}, code
