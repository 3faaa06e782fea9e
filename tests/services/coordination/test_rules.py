"""Pure decisions of coordination."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from contracts.events.deadline import DeadlineKind
from contracts.processes import DUE_PERCENT, MOMENTS
from services.coordination import rules

START = datetime(2025, 1, 6, 4, tzinfo=UTC)


@pytest.mark.parametrize("kind", list(DeadlineKind))
def test_only_what_somebody_must_do_is_reminded_of(kind: DeadlineKind):
    percents = [moment.elapsed_percent for moment in rules.wake_moments(kind, START, START + timedelta(days=10))]
    assert percents == ([DUE_PERCENT] if kind in MOMENTS else [50, 80, DUE_PERCENT])


@pytest.mark.parametrize(("seconds", "in_time"), [(-1, True), (0, False), (1, False)])
def test_the_due_moment_itself_is_too_late(seconds: int, in_time: bool):
    assert rules.in_time(DeadlineKind.DECIDE, START + timedelta(seconds=seconds), START) is in_time


@pytest.mark.parametrize(("place", "told"), [
    ("500116108", "500116"), ("500116108001", "500116"), ("500116", "5001"),
])
def test_lateness_is_told_to_the_level_above(place: str, told: str):
    assert rules.escalated_to(place) == told


@pytest.mark.parametrize(("after", "day"), [
    (date(2025, 1, 31), date(2025, 2, 10)), (date(2024, 12, 31), date(2025, 1, 10)),
    (date(2025, 1, 9), date(2025, 1, 10)), (date(2025, 1, 10), date(2025, 2, 10)),
])
def test_a_pay_day_is_after_the_date_and_never_on_it(after: date, day: date):
    assert rules.next_pay_day(after, 10) == day


@pytest.mark.parametrize(("level", "place"), [("town", "500116108"), ("county", "500116")])
def test_a_decision_is_confirmed_where_its_level_says(level: str, place: str):
    assert rules.confirming_place("500116108", level) == place
