"""What the keepers are shown: what holds, from whom, what changes, and what is not known."""

from __future__ import annotations

from datetime import date

import pytest

from services.rulebook import PlaceCycle, UnknownPlace, changes, in_force, places, still_unknown
from services.rulebook.places import Place, lineage
from tests.rules.households import BAISHA, JIANGJIN, ON

LHASA, GONGHE, HEPING = "5401", "632521", "120101"


def paths_unknown(area: str, on: date) -> set[str]:
    return {path for row in still_unknown(area, on) for path in row.paths}


def test_what_holds_is_shown_with_whose_rule_it_is() -> None:
    shown = {row.used.path: row for row in in_force(JIANGJIN, ON)}
    assert (shown["dibao.terms.promised"].inherited, shown["dibao.standard.rural"].inherited) == (False, True)
    assert shown["dibao.standard.rural"].used.place == "50"
    assert shown["dibao.terms.promised"].used.verified is False
    assert shown["dibao.terms.promised"].used.note
    assert shown["dibao.standard.rural"].last_checked_on == date(2026, 11, 1)


def test_a_town_is_shown_what_its_county_says_as_inherited() -> None:
    assert {row.used.path for row in in_force(BAISHA, ON)} == {row.used.path for row in in_force(JIANGJIN, ON)}
    assert all(row.inherited for row in in_force(BAISHA, ON))


def test_before_the_first_figure_nothing_is_shown() -> None:
    assert in_force(JIANGJIN, date(1986, 12, 31)) == []


def test_of_an_unknown_place_nothing_is_shown_but_its_name() -> None:
    with pytest.raises(UnknownPlace, match="Area 999999: not in the rulebook"):
        in_force("999999", ON)


@pytest.mark.parametrize(("area", "on", "path", "unknown"), [
    (LHASA, date(2021, 12, 31), "dibao.standard", False), (LHASA, date(2022, 1, 1), "dibao.standard", True),
    (GONGHE, date(2021, 12, 31), "dibao.standard", False), (GONGHE, date(2022, 1, 1), "dibao.standard", True),
    (GONGHE, date(2023, 11, 30), "tekun.standard", True), (GONGHE, date(2023, 12, 1), "tekun.standard", False),
    (GONGHE, date(2025, 12, 31), "dibao.standard", False), (GONGHE, date(2026, 1, 1), "dibao.standard", True),
    (JIANGJIN, date(2022, 12, 31), "dibao.assets", False), (JIANGJIN, date(2023, 1, 1), "dibao.assets", True),
    (HEPING, date(2025, 8, 31), "dibao.assets", True), (HEPING, date(2025, 9, 1), "dibao.assets", False),
    (JIANGJIN, ON, "income.working_cost", True), (HEPING, ON, "support.formula", True),
    ("610303", date(2023, 12, 31), "dibao.tier", False), ("610303", date(2024, 1, 1), "dibao.tier", True),
    ("610113", date(2023, 9, 12), "temporary_assistance.emergency.household_max", True),
])
def test_what_was_not_found_is_said_and_only_where_nothing_is_known(
        area: str, on: date, path: str, unknown: bool) -> None:
    assert (path in paths_unknown(area, on)) is unknown


@pytest.mark.parametrize("area", ["500116", "120101", "610303", "5401", "632521"])
def test_where_the_asset_limit_is_not_found_an_officer_is_asked(area: str) -> None:
    on = date(2024, 6, 1)
    [row] = [row for row in still_unknown(area, on) if "dibao.assets" in row.paths]
    assert row.asked_instead == "assets_within_local_limit"


def test_changes_of_an_area_are_those_after_the_first_day_up_to_the_last() -> None:
    found = changes(date(2024, 8, 31), date(2024, 9, 1), JIANGJIN)
    rural = next(change for change in found if change.path == "dibao.standard.rural")
    assert rural.before is not None and rural.after is not None
    assert (rural.on, rural.before.value, rural.after.value) == (date(2024, 9, 1), 60000, 61000)
    assert changes(date(2024, 10, 1), date(2024, 12, 31), "500112") == []


def test_a_value_carried_on_is_no_change_and_one_that_ends_is() -> None:
    assert changes(date(2026, 6, 30), date(2026, 7, 1), JIANGJIN) == []
    [urban] = [change for change in changes(date(2021, 12, 31), date(2022, 1, 1), LHASA)
               if change.path == "dibao.standard.urban"]
    assert (urban.before and urban.before.value, urban.after) == (91000, None)


def test_changes_everywhere_name_each_area_once() -> None:
    found = changes(date(2024, 12, 31), date(2025, 12, 31))
    assert {"50", "12", "63", "500116", "500107"} <= {change.place for change in found}
    named = [(change.place, change.path, change.on) for change in found]
    assert len(named) == len(set(named))
    assert [change.on for change in found] == sorted(change.on for change in found)


def test_days_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(ValueError, match="the first day comes after the last"):
        changes(date(2025, 1, 2), date(2025, 1, 1), JIANGJIN)


def test_areas_around_each_other_are_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = {code: Place(code=code, name=code, level="county", parent=other, verified=False)
            for code, other in (("990101", "990102"), ("990102", "990101"))}
    for code, area in loop.items():
        monkeypatch.setitem(places(), code, area)
    with pytest.raises(PlaceCycle, match="990101 → 990102 → 990101 is a circle"):
        lineage("990101")
