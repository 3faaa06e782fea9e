"""What a result holds, how it stands to its goals, and what a person sees of it."""

from __future__ import annotations

import time

import pytest
from rich.console import Console

from benchmarks.catalogue import MEASURES
from benchmarks.goals import GOALS, Goal, Verdict
from benchmarks.harness.categories import CATEGORIES
from benchmarks.harness.journeys import Timing
from benchmarks.harness.processor_time import CpuMeter, Used
from benchmarks.harness.two_sides import Side, compared, time_figures
from benchmarks.result import QUANTILES, Result, Samples, alone, beside, distribution, percentile
from benchmarks.tables import print_result


def a_timing(*, seconds: float, latency_ms: float) -> Timing:
    latencies = [latency_ms] * 100
    return Timing(
        cases=100, seconds=seconds, latencies_ms=latencies, hops_ms={"approval": latencies, "bank": latencies},
        cpu_ms_per_case={"intake": seconds, "kafka": 1.0}, others_percent=0.0,
    )


def a_result() -> Result:
    slow, fast = a_timing(seconds=10.0, latency_ms=60.0), a_timing(seconds=2.0, latency_ms=20.0)
    samples = {"approval": Samples(samples=4, categories={"consume": 1, "rules": 3}, itself={"services/x.py:f": 4})}
    figures = {**compared(Side(slow, slow), Side(fast, fast)), **time_figures(samples)}
    return Result(figures=figures, samples=samples, notes=["100 cases [in brackets]."])


def test_every_figure_has_value_floor_ratio_and_unit() -> None:
    for name, figure in a_result().figures.items():
        assert set(figure.model_dump()) == {"value", "floor", "ratio", "unit"}, name


@pytest.mark.parametrize(("name", "value", "floor", "ratio"), [
    ("throughput", 10.0, 50.0, 0.2),
    ("latency_p50", 60.0, 20.0, 3.0),
    ("latency_p99", 60.0, 20.0, 3.0),
    ("latency_p50.bank", 60.0, 20.0, 3.0),
    ("cpu_per_case", 11.0, 3.0, 3.667),
    ("time.consume", 25.0, None, None),
    ("time.rules", 75.0, None, None),
    ("time.database", 0.0, None, None),
])
def test_a_figure_stands_beside_the_floors(name: str, value: float, floor: float | None, ratio: float | None) -> None:
    figure = a_result().figures[name]
    assert (figure.value, figure.floor, figure.ratio) == (value, floor, ratio)


def test_a_person_sees_every_figure_every_category_and_every_note() -> None:
    console = Console(record=True, width=160)
    result = a_result()
    print_result(MEASURES["small-emergency"], result, console)
    text = console.export_text()
    shown = [name for name in result.figures if not name.startswith("time.")]
    assert not [name for name in (*shown, *CATEGORIES, *result.notes) if name not in text]


@pytest.mark.parametrize(("goal", "reached", "verdict"), [
    (Goal(must=0.3, aim=0.6), 0.6, Verdict.AIM),
    (Goal(must=0.3, aim=0.6), 0.3, Verdict.MUST),
    (Goal(must=0.3, aim=0.6), 0.299, Verdict.MISSED),
    (Goal(aim=0.3), 0.29, Verdict.SHORT),
    (Goal(must=3, aim=2, more_is_better=False), 2.0, Verdict.AIM),
    (Goal(must=3, aim=2, more_is_better=False), 3.0, Verdict.MUST),
    (Goal(must=3, aim=2, more_is_better=False), 3.01, Verdict.MISSED),
])
def test_a_bound_itself_still_reaches(goal: Goal, reached: float, verdict: Verdict) -> None:
    assert goal.verdict(beside(reached, 1.0, "x")) is verdict


def test_a_goal_of_a_value_needs_no_floor() -> None:
    goal = Goal(must=2.5, aim=1.8, more_is_better=False, of_ratio=False)
    assert goal.verdict(alone(2.6, "GB")) is Verdict.MISSED


def test_a_goal_of_a_ratio_refuses_a_figure_without_one() -> None:
    with pytest.raises(ValueError, match="floor"):
        Goal(aim=1).verdict(alone(1, "x"))


def test_every_goal_belongs_to_a_measure() -> None:
    assert {name.partition(".")[0] for name in GOALS} <= set(MEASURES)


@pytest.mark.parametrize(("cpu_seconds", "expected"), [(0.0, 50.0), (1.0, 40.0), (9.0, 0.0)])
def test_a_load_generator_of_our_own_is_no_stranger(cpu_seconds: float, expected: float) -> None:
    assert Used({}, others_percent=50.0, available_seconds=10.0).others_without(cpu_seconds) == expected


def test_work_of_a_process_that_is_not_named_counts_as_others() -> None:
    meter = CpuMeter({})
    deadline = time.process_time() + 0.2
    while time.process_time() < deadline:
        pass
    assert meter.used().others_percent > 0


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50.0), (0.99, 99.0), (1.0, 100.0)])
def test_a_percentile_is_the_nearest_rank(share: float, expected: float) -> None:
    assert percentile([float(number) for number in range(100, 0, -1)], share) == expected


def test_a_distribution_of_few_values_is_still_whole() -> None:
    quantiles = distribution([3.0, 1.0, 2.0])
    assert (len(quantiles), quantiles[0], quantiles[-1]) == (QUANTILES, 1.0, 3.0)
