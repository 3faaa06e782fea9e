"""`onething rules`, and how a place is added and a figure changed without touching Python."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli.app import app

ROOT = Path(__file__).parents[2]
MENUS = "services/rulebook/tests/menus"
DISTRICT = """"500199": {name: 样例区, level: county, parent: "5001", parameters: yangli, verified: false}
"500199001": {name: 样例街道, level: town, parent: "500199", verified: false}
"""
FIGURE = """description: Dibao standard per person and month, rural
values:
  2025-01-01: {value: 70000}
metadata:
  unit: fen_month
  last_checked_on: 2026-11-01
  reference:
    2025-01-01: {title: "样例区民政局 2025年通知 第一条", verified: true}
"""


def run(*command: str) -> tuple[int, str, str]:
    shown = CliRunner().invoke(app, ["rules", *command])
    return shown.exit_code, shown.stdout, " ".join(shown.stderr.split())


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project in which the made-up district is added by data alone."""
    for name in ("contracts", "services", "deploy", "benchmarks", "workflows"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    rulebook = tmp_path / "services" / "rulebook"
    with (rulebook / "places" / "chongqing.yaml").open("a", encoding="utf-8") as places:
        places.write(DISTRICT)
    folder = rulebook / "parameters" / "yangli" / "dibao" / "standard"
    folder.mkdir(parents=True)
    (folder / "rural.yaml").write_text(FIGURE, encoding="utf-8")
    return tmp_path


def run_in(project: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "deploy.cli", "rules", *command], cwd=project, capture_output=True,
                          env={"PATH": os.environ["PATH"], "PYTHONUTF8": "1"}, text=True, check=False)


def test_a_made_up_district_has_its_own_figure_and_inherits_the_rest(project: Path) -> None:
    checked = run_in(project, "check")
    assert (checked.returncode, checked.stderr.strip()) == (0, "The rulebook has no fault.")
    shown = json.loads(run_in(project, "show", "样例区样例街道", "--on", "2025-01-06", "--json").stdout)
    figures = {row["path"]: (row["value"], row["place_name"]) for row in shown["parameters"]}
    assert figures["dibao.standard.rural"] == (70000, "样例区")
    assert figures["dibao.standard.urban"] == (75000, "重庆市")
    assert figures["dibao.terms.investigate"] == (3, "全国")


def test_a_figure_without_its_document_is_refused_by_file_and_field(project: Path) -> None:
    file = project / "services/rulebook/parameters/yangli/dibao/standard/rural.yaml"
    file.write_text(FIGURE.replace('title: "样例区民政局 2025年通知 第一条", ', ""), encoding="utf-8")
    checked = run_in(project, "check")
    assert checked.returncode == 1
    assert "parameters/yangli/dibao/standard/rural.yaml: metadata.reference.2025-01-01" in checked.stderr


def test_show_tells_value_unit_day_whose_and_source_and_marks_what_is_not_verified() -> None:
    code, shown, summary = run("show", "江津区", "--on", "2025-01-06", "--under", "dibao")
    assert code == 0
    row = next(line for line in shown.splitlines() if "standard.rural" in line)
    assert all(part in row for part in ("610 yuan a month", "2024-09-01", "重庆市", "重庆日报 2024-09-24"))
    assert "[unverified: newspaper" in shown
    assert "assets_within_local_limit" in shown
    assert "tekun" not in shown
    assert "江津区 (500116) on 2025-01-06" in summary


def test_before_the_first_figure_nothing_is_known_and_that_is_said() -> None:
    assert run("show", "江津区", "--on", "1900-01-01") == (0, "", "江津区 (500116): nothing is known on 1900-01-01.")


def test_show_json_carries_what_is_not_found() -> None:
    _, shown, _ = run("show", "5401", "--on", "2026-11-01", "--under", "dibao.standard", "--json")
    told = json.loads(shown)
    assert told["parameters"] == []
    assert [row["paths"] for row in told["not_found"]] == [["dibao.standard"]]


def test_diff_tells_what_changes_with_before_and_after() -> None:
    code, shown, summary = run("diff", "--from", "2024-08-31", "--to", "2024-09-01", "重庆市")
    assert code == 0
    assert "600 yuan a month" in shown and "610 yuan a month" in shown
    assert summary == ("6 figures change after 2024-08-31 and up to 2024-09-01. "
                       "Of 4 households of the sample 4 are owed something else.")
    _, everywhere, _ = run("diff", "--from", "2025-08-31", "--to", "2025-09-01", "--json")
    assert {change["place"] for change in json.loads(everywhere)["figures"]} == {"12"}


def test_diff_tells_for_whom_in_a_sample_it_changes_what() -> None:
    _, shown, _ = run("diff", "--from", "2024-08-31", "--to", "2024-09-01", "江津区", "--json")
    orphans = [effect for effect in json.loads(shown)["households"] if effect["benefit"] == "de_facto_orphan"]
    sums = [(effect["amount_fen_before"], effect["amount_fen_after"]) for effect in orphans]
    assert sums == [(2 * 140500, 2 * 162500)]
    told = run("diff", "--from", "2024-08-31", "--to", "2024-09-01", "江津区", "--sample", f"{MENUS}/C8.yaml")[2]
    assert told.endswith("Of 1 households of the sample 1 are owed something else.")


def test_explain_tells_the_three_groups_with_reasons_and_the_package() -> None:
    code, shown, summary = run("explain", f"{MENUS}/C8.yaml")
    assert code == 0
    assert "最低生活保障 subsistence allowance (dibao) [civil_affairs]: 每月 1952 元 a month" in shown
    assert "符合条件 Qualifies" in shown and "可能符合 May qualify" in shown and "不符合 Does not" in shown
    assert "低于当地城市低保标准每人每月735元" in shown and "重庆日报 2024-09-24" in shown
    assert "benefits together" in summary
    assert json.loads(run("explain", f"{MENUS}/C8.yaml", "--json")[1])["package"]["benefits"]


def test_explain_refuses_a_bad_file_by_its_field(tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("place: 江津区\nday: 2025-01-06\nmembers: {a: {wage_fen_month: -5}}", encoding="utf-8")
    code, _, told = run("explain", str(file))
    assert code != 0
    assert "members.a.wage_fen_month: -5 cannot be a value of it" in told


@pytest.mark.parametrize(("command", "sentence"), [
    (["show", "火星"], "Area 火星: not in the rulebook"),
    (["show", "城关镇"], "several are called so"),
    (["show", "江津区", "--on", "tomorrow"], "'tomorrow' is no day. Write it like 2025-01-06."),
    (["diff", "--from", "2025-01-02", "--to", "2025-01-01"], "the first day comes after the last"),
])
def test_what_cannot_be_shown_is_told_in_one_sentence(command: list[str], sentence: str) -> None:
    code, shown, told = run(*command)
    assert (code, shown) == (1, "")
    assert sentence in told
