"""Published figures, asked the day before, the day itself and the day after every change, in every place."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
import yaml

from services.rulebook import find_place
from services.rulebook.data_files import RULEBOOK
from services.rulebook.dated_parameters import find, get, own_parameters
from services.rulebook.places import lineage, places
from services.rulebook.units import units

ONE_DAY = timedelta(days=1)
FILES = sorted((RULEBOOK / "tests" / "figures").glob("*.yaml"))
TOLD: dict[str, Any] = {file.stem: yaml.safe_load(file.read_text(encoding="utf-8")) for file in FILES}


def days_around_each_change(values: dict[date, Any]) -> Iterator[tuple[date, int | None]]:
    """Day and sum in fen; None where the sum is unknown, as before the first."""
    before = None
    for day, yuan in values.items():
        fen = None if yuan == "unknown" else int(Decimal(str(yuan)) * 100)
        yield from ((day - ONE_DAY, before), (day, fen), (day + ONE_DAY, fen))
        before = fen


@pytest.mark.parametrize(("area", "path", "values"), [
    pytest.param(find_place(area).code, path, values, id=f"{area} {path}")
    for told in TOLD.values() for area in told["areas"] for path, values in told["figures"].items()
])
def test_figure_the_day_before_the_day_of_and_the_day_after_each_change(
        area: str, path: str, values: dict[date, Any]) -> None:
    told = dict(days_around_each_change(values))
    known = {day: find(path, area, day) for day in told}
    assert {day: None if used is None else used.value for day, used in known.items()} == told


def test_every_sum_of_every_place_is_told_with_each_of_its_days() -> None:
    covered = {(around.code, path, day) for told in TOLD.values() for area in told["areas"]
               for path, values in told["figures"].items() for day in values
               for around in lineage(find_place(area).code)}
    sums = {(place.code, path, day) for place in places().values() if place.parameters
            for path, parameter in own_parameters(place.code, place.parameters).items()
            for day, used in zip(parameter.from_dates, parameter.values, strict=True)
            if used is not None and units()[used.unit].kind == "money"}
    missing = {name for name in sums - covered if not name[1].startswith("medical_aid.deductible")
               and name[1] != "electricity_waiver.price_fen_kwh"}
    assert missing == set()


@pytest.mark.parametrize(("area", "path", "on", "verified"), [
    ("500116", "dibao.standard.urban", date(2024, 9, 1), True),  # read in the newspaper named
    ("500116", "dibao.standard.urban", date(2019, 9, 1), False),  # month from memory
    ("500116", "dibao.standard.urban", date(2026, 7, 1), False),  # carried on
    ("500116", "disability_subsidy.care.grade_1", date(2025, 3, 26), False),  # a secondary copy
    ("120101", "dibao.standard.urban", date(2025, 9, 1), True),
    ("120101", "temporary_assistance.town_limit", date(2025, 9, 1), False),  # derived: 6 × 1,045
    ("610303", "dibao.standard.urban", date(2023, 1, 1), False),
    ("632521", "dibao.standard.urban", date(2021, 1, 1), True),
    ("632521", "dibao.standard.urban", date(2023, 12, 18), False),  # its first day was not read
    ("632521", "tekun.standard.all", date(2021, 1, 1), False),  # derived: 1.5 × 672
    ("5401", "dibao.standard.rural_year", date(2021, 1, 1), True),
    ("cn", "dibao.terms.investigate", date(2025, 1, 1), True),
    ("cn", "medical_aid.rate_percent_min.key_groups", date(2025, 1, 1), False),  # from memory
])
def test_what_was_not_read_at_its_source_is_marked(area: str, path: str, on: date, verified: bool) -> None:
    used = get(path, area, on)
    assert (used.verified, used.cited.endswith("(未经核实)")) == (verified, not verified)


@pytest.mark.parametrize(("on", "fen_month"), [(date(2024, 9, 1), 36500), (date(2025, 7, 1), 37100)])
def test_from_dibao_to_tekun_a_rural_person_of_jiangjin_gains(on: date, fen_month: int) -> None:
    tekun, dibao = (get(path, "500116", on).whole_number for path in ("tekun.standard.all", "dibao.standard.rural"))
    assert tekun - dibao == fen_month


@pytest.mark.parametrize(("area", "ratio", "tekun", "dibao", "months"), [
    ("50", "tekun.ratio.percent_of_urban_dibao", "tekun.standard.all", "dibao.standard.urban", 1),
    ("63", "tekun.ratio.percent_of_urban_dibao", "tekun.standard.all", "dibao.standard.urban", 1),
    ("54", "tekun.ratio.percent_of_urban_dibao", "tekun.standard.urban_year", "dibao.standard.urban", 12),
    ("54", "tekun.ratio.percent_of_rural_dibao", "tekun.standard.rural_dispersed_year", "dibao.standard.rural_year", 1),
])
def test_published_tekun_follows_its_ratio_to_dibao_within_a_yuan(
        area: str, ratio: str, tekun: str, dibao: str, months: int) -> None:
    folder = str(places()[area].parameters)
    for day, used in zip(*_steps(area, folder, tekun), strict=True):
        if used is not None:
            percent = get(ratio, area, max(day, own_parameters(area, folder)[ratio].from_dates[0])).whole_number
            expected = Decimal(get(dibao, area, day).whole_number) * months * percent / 100
            assert abs(expected - used.whole_number) < 100, day


def _steps(area: str, folder: str, path: str) -> tuple[Any, Any]:
    parameter = own_parameters(area, folder)[path]
    return parameter.from_dates, parameter.values


def test_a_yearly_temporary_assistance_cap_is_five_yearly_standards() -> None:
    on = date(2025, 2, 1)
    years = get("temporary_assistance.cap_years_of_urban_standard", "63", on).whole_number
    month = get("dibao.standard.urban", "63", on).whole_number
    assert years * 12 * month == get("temporary_assistance.cap", "63", on).whole_number


def test_told_days_are_in_order() -> None:
    for name, told in TOLD.items():
        for path, values in told["figures"].items():
            assert all(first < second for first, second in pairwise(values)), f"{name}: {path}"
