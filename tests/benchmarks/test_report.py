"""The report's shape, and the place each sample is counted at."""

from __future__ import annotations

import pytest
from rich.console import Console

from benchmarks.categories import CATEGORIES, category, is_ours, place
from benchmarks.measuring import HOPS, LAST_HOP, Timing, percentile
from benchmarks.report import Report, Side, print_report, report_of
from benchmarks.small_emergency import Samples

PACKAGES = "/anywhere/site-packages"
SERVICES = "/anywhere/services"


def a_timing(*, seconds: float, latency_ms: float) -> Timing:
    latencies = [latency_ms] * 100
    return Timing(
        cases=100, seconds=seconds, latencies_ms=latencies,
        hops_ms=dict.fromkeys((*HOPS, LAST_HOP), latencies), cpu_ms_per_case={"intake": seconds, "kafka": 1.0},
        others_percent=0.0,
    )


def a_report() -> Report:
    slow, fast = a_timing(seconds=10.0, latency_ms=60.0), a_timing(seconds=2.0, latency_ms=20.0)
    samples = Samples(4, {"consume": 1, "rules": 3}, {"services/x.py:f": 4}, {"services/x.py:f": 4}, {"y.py:g": 4})
    return report_of(Side(slow, slow), Side(fast, fast), {"approval": samples})


def test_every_measure_has_value_floor_ratio_and_unit() -> None:
    for name, measure in a_report().as_json().items():
        assert set(measure) == {"value", "floor", "ratio", "unit"}, name


@pytest.mark.parametrize(("name", "value", "floor", "ratio"), [
    ("throughput", 10.0, 50.0, 0.2),
    ("latency_p50", 60.0, 20.0, 3.0),
    ("latency_p99", 60.0, 20.0, 3.0),
    ("cpu_per_case", 11.0, 3.0, 3.667),
    ("time.consume", 25.0, None, None),
    ("time.rules", 75.0, None, None),
    ("time.database", 0.0, None, None),
    ("time.relay", 0.0, None, None),
])
def test_a_measure_stands_beside_the_floors(name: str, value: float, floor: float | None, ratio: float | None) -> None:
    measure = a_report().measures[name]
    assert (measure.value, measure.floor, measure.ratio) == (value, floor, ratio)


def test_a_person_sees_every_measure_and_every_category() -> None:
    console = Console(record=True, width=160)
    print_report(a_report(), console)
    text = console.export_text()
    shown = [name for name in a_report().measures if not name.startswith("time.")]
    assert not [name for name in (*shown, *CATEGORIES) if name not in text]


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50.0), (0.99, 99.0), (1.0, 100.0)])
def test_a_percentile_is_the_nearest_rank(share: float, expected: float) -> None:
    assert percentile([float(number) for number in range(100, 0, -1)], share) == expected


@pytest.mark.parametrize(("stack", "expected"), [
    ([("/x/json.py", "dumps"), (f"{PACKAGES}/asyncpg/connection.py", "execute"),
      (f"{SERVICES}/approval/awards.py", "start_awards")], "database"),
    ([(f"{PACKAGES}/asyncpg/connection.py", "fetch"), (f"{SERVICES}/runtime/relay.py", "Relay.publish")], "relay"),
    ([(f"{PACKAGES}/pydantic/main.py", "model_validate_json"), (f"{SERVICES}/runtime/records.py", "read_event"),
      (f"{SERVICES}/runtime/consumer.py", "Consumers._on_batch")], "consume"),
    ([("/anywhere/contracts/envelope.py", "EventEnvelope.of"),
      (f"{SERVICES}/runtime/database.py", "Transaction.record"),
      (f"{SERVICES}/approval/small_sums.py", "give")], "record"),
    ([(f"{SERVICES}/rulebook/small_sum.py", "small_sum_cap_fen"),
      (f"{SERVICES}/runtime/handling.py", "Handling._dispatch")], "rules"),
    ([(f"{PACKAGES}/joserfc/jwe.py", "encrypt_compact"), (f"{SERVICES}/intake/seal_identifiers.py", "_seal")],
     "encryption"),
    ([("/x/asyncio/runners.py", "Runner.run"), (f"{SERVICES}/runtime/process.py", "run")], "other"),
])
def test_the_innermost_known_place_decides_the_category(stack: list[tuple[str, str]], expected: str) -> None:
    assert category(stack) == expected


def test_libraries_inside_the_project_folder_are_not_ours() -> None:
    assert is_ours(category.__code__.co_filename, "category")
    root = category.__code__.co_filename.removesuffix("benchmarks/categories.py")
    assert not is_ours(f"{root}.venv/lib/python3/site-packages/pydantic/main.py", "BaseModel.__init__")
    assert place(f"{root}.venv/lib/python3/site-packages/pydantic/main.py", "f") == "pydantic/main.py:f"
