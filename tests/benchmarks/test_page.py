"""The page shows what was measured and nothing else; the committed one is made of the committed runs."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from datetime import date

import pytest

from benchmarks import page
from benchmarks.catalogue import MEASURES
from benchmarks.goals import GOALS
from benchmarks.result import Result, Samples, alone, beside, distribution
from benchmarks.runs import DOCS, Machine, Run

MACHINE = Machine(cores=2, memory_gb=24, processor="x86_64", python="3.11.7")


def a_run(measure: str) -> Run:
    figures = {
        name.partition(".")[2]: beside(goal.aim * 2, 2.0, "x") if goal.of_ratio else alone(goal.aim, "x")
        for name, goal in GOALS.items() if name.startswith(f"{measure}.")
    }
    samples = {"intake": Samples(samples=4, categories={"rules": 4}, itself={"services/<x>.py:f": 4})}
    result = Result(figures=figures, samples=samples, latencies_ms={"system": distribution([1.0, 30.0])},
                    notes=[f"A note on {measure}."])
    return Run(command=f"onething bench {measure} --page", measured_on=date(2026, 11, 22), machine=MACHINE,
               result=result)


def test_the_committed_page_is_made_of_the_committed_runs() -> None:
    stale = [path for path, content in page.files().items()
             if not (DOCS / path).exists() or (DOCS / path).read_text() != content]
    assert not stale, f"Write them anew: python -m benchmarks.page ({stale})"


def test_no_plot_is_left_of_a_run_that_is_gone() -> None:
    drawn = {f"{page.PLOTS.name}/{file.name}" for file in page.PLOTS.glob("*.svg")}
    assert drawn <= set(page.files())


def test_a_measure_without_a_run_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "kept", dict)
    text = page.files()[page.PAGE.name]
    assert not [name for name in MEASURES if f"`onething bench {name} --page`" not in text]


def test_every_run_is_shown_with_its_command_its_notes_and_its_verdicts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "kept", lambda: {name: a_run(name) for name in MEASURES})
    text = page.files()[page.PAGE.name]
    for name in MEASURES:
        assert f"`onething bench {name} --page` on 2026-11-22: 2 cores" in text
        assert f"A note on {name}." in text
    assert text.count("aim reached") == 2 * len(GOALS)


def test_plots_are_well_formed_and_the_same_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "kept", lambda: {name: a_run(name) for name in MEASURES})
    first, second = page.files(), page.files()
    assert first == second
    plots = [content for path, content in first.items() if path.endswith(".svg")]
    assert plots
    for content in plots:
        ElementTree.fromstring(content)
