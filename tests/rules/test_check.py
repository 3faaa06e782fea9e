"""The check of the rulebook's data refuses what is broken, and names the file and the field."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.rulebook import check_rulebook
from services.rulebook.data_files import RULEBOOK

STANDARD = "parameters/chongqing/dibao/standard/rural.yaml"
REFERENCE_2025 = '    2025-07-01: {title: "渝民规〔2025〕6号", verified: true}\n'
CHONGQING, NATION, QINGHAI = "places/chongqing.yaml", "places/nation.yaml", "places/qinghai.yaml"
NOT_FOUND, UNITS = "not_found.yaml", "units.yaml"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the rulebook's data; each test breaks one file and mends it again."""
    copy = tmp_path_factory.mktemp("rulebook")
    for name in ("parameters", "places"):
        shutil.copytree(RULEBOOK / name, copy / name)
    for name in (NOT_FOUND, UNITS):
        shutil.copy(RULEBOOK / name, copy)
    return copy


@contextmanager
def replaced(file: Path, old: str, new: str) -> Iterator[None]:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    yield
    file.write_text(text, encoding="utf-8")


def test_the_rulebook_has_no_fault() -> None:
    assert check_rulebook() == []


@pytest.mark.parametrize(("file", "old", "new", "fault"), [
    (STANDARD, "  unit: fen_month\n", "", "metadata.unit: none"),
    (STANDARD, "unit: fen_month", "unit: fen_moon", "metadata.unit: unknown unit 'fen_moon'"),
    (STANDARD, "  last_checked_on: 2026-11-01\n", "", "metadata.last_checked_on: no date"),
    (STANDARD, "last_checked_on: 2026-11-01", "last_checked_on: soon", "metadata.last_checked_on: no date"),
    (STANDARD, REFERENCE_2025, "", "metadata.reference.2025-07-01: no reference"),
    (STANDARD, 'title: "渝民规〔2025〕6号", verified: true', "verified: true",
     "metadata.reference.2025-07-01: no reference with a title"),
    (STANDARD, '"渝民规〔2025〕6号", verified: true', '"渝民规〔2025〕6号"',
     "metadata.reference.2025-07-01: the reference does not say whether it is verified"),
    (STANDARD, '"渝民规〔2025〕6号", verified: true', '"渝民规〔2025〕6号", verified: false',
     "metadata.reference.2025-07-01: not verified, and no note says why"),
    (STANDARD, "{value: 61000}", "{value: 61000, valeu: 1}", "values.2024-09-01.valeu: unknown field"),
    (STANDARD, "2025-07-01: {value: 63000}", "2024-09-01: {value: 63000}", "key given twice: 2024-09-01"),
    (STANDARD, "2025-07-01: {value: 63000}", "2024-08-01: {value: 63000}", "values: dates are not in order"),
    (STANDARD, "2025-07-01: {value: 63000}", "July: {value: 63000}", "values.July: no date"),
    (STANDARD, "2025-07-01: {value: 63000}", "2025-07-01: {value: 630.5}",
     "values.2025-07-01: 630.5 is no whole number of fen"),
    (STANDARD, "2025-07-01: {value: 63000}", "2025-07-01: {value: -1}", "values.2025-07-01: -1 is no whole number"),
    (STANDARD, "2025-07-01: {value: 63000}", "2025-07-01: {value: true}", "True is no whole number of fen"),
    (STANDARD, "2025-07-01: {value: 63000}", "2025-07-01: {}", "values.2025-07-01: no value"),
    (STANDARD, "  2025-07-01: {value: 63000}\n", "", "metadata.reference.2025-07-01: there is no value of that day"),
    (STANDARD, "description: Dibao", "descripton: Dibao", "descripton: unknown field"),
    (STANDARD, "metadata:", "metadata: {}\nextra:", "extra: unknown field"),
    (STANDARD, "values:", "values: [", "cannot be read"),
    (STANDARD, "unit: fen_month", "unit: fen_year", "metadata.unit: fen_month, but fen_year in 重庆市"),
    ("parameters/national/dibao/deciding_level.yaml", "value: county", "value: village",
     "values.2014-05-01: 'village' is none of town, county"),
    ("parameters/national/dibao/evidence/household.yaml", "[standard,", "[standart,", "'standart' is none of"),
    ("parameters/national/dibao/evidence/visit.yaml", "value: true", "value: 1", "1 is neither true nor false"),
    ("parameters/qinghai/heating/paid_by.yaml", '"09-30"', '"31-09"', "'31-09' is no month and day"),
])
def test_a_broken_figure_is_refused(data: Path, file: str, old: str, new: str, fault: str) -> None:
    with replaced(data / file, old, new):
        found = check_rulebook(data)
    assert any(Path(file).name in sentence and fault in sentence for sentence in found), found


@pytest.mark.parametrize(("file", "old", "new", "fault"), [
    (CHONGQING, 'parent: "5001", parameters: jiangjin', 'parent: "5009", parameters: jiangjin',
     "places/: 500116: parent: '5009' is not listed"),
    (CHONGQING, '"5001": {name: 重庆市辖区, level: city, parent: "50"',
     '"5001": {name: 重庆市辖区, level: city, parent: "500116"', "5001: parent: 5001 → 500116 → 5001 is a circle"),
    (CHONGQING, "parameters: jiangjin", "parameters: fuling", "parameters/jiangjin: no place names this folder"),
    (CHONGQING, "parameters: jiangjin", "parameters: fuling", "parameters/fuling: named by a place, not there"),
    (CHONGQING, "parameters: jiangjin", "parameters: chongqing", "parameters/chongqing: named by more than one place"),
    (CHONGQING, "name: 江津区, level: county", "name: 江津区, level: realm", "places/chongqing.yaml: 500116: level"),
    (CHONGQING, "name: 江津区, level", "nam: 江津区, level", "places/chongqing.yaml: 500116: name"),
    (QINGHAI, '"63": {', '"61": {', "this area is listed twice"),
    (NATION, "parent: null", "parent: [", "places/nation.yaml: cannot be read"),
    (UNITS, "kind: money", "kind: gold", "units.yaml: kind"),
    (UNITS, "kind: money", "kind: [", "units.yaml: while parsing"),
    (NOT_FOUND, '"54":', '"74":', "not_found.yaml: 74: no such area"),
    (NOT_FOUND, "asked_instead: assets_within_local_limit", "asked_instead: assets_in_limit",
     "not_found.yaml: asked_instead"),
    (NOT_FOUND, "paths: [tekun.care], from: 2018-04-01", "paths: [dibao.standard], from: 2018-04-01",
     "not_found.yaml: 12: paths: dibao.standard.rural is known from 2018-04-01"),
])
def test_a_place_or_a_gap_that_does_not_fit_is_refused(data: Path, file: str, old: str, new: str, fault: str) -> None:
    with replaced(data / file, old, new):
        found = check_rulebook(data)
    assert any(fault in sentence for sentence in found), found


@pytest.mark.parametrize(("file", "fault"), [
    ("parameters/jiangjin/dibao/notes.txt", "unknown file"),
    ("parameters/jiangjin/stray.yaml", "unknown file"),
    ("parameters/stray.yaml", "unknown file"),
    ("parameters/jiangjin/dibao/Standard.yaml", "'Standard' is no name of small letters"),
    ("parameters/jiangjin/dibao/children.yaml", "OpenFisca keeps the name 'children' for itself"),
    ("parameters/chongqing/dibao/standard.yaml", "both a parameter and a folder"),
    ("parameters/jiangjin/dibao/standard.yaml", "dibao.standard is a parameter of 江津区, not a group"),
])
def test_a_file_in_a_wrong_place_is_refused(data: Path, file: str, fault: str) -> None:
    shutil.copy(data / STANDARD, data / file)
    found = check_rulebook(data)
    (data / file).unlink()
    assert any(fault in sentence for sentence in found), found
