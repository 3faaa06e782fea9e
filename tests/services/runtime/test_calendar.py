"""Working days and due moments: tables around make-up days and long holidays, and laws of the arithmetic."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runtime.calendar import Term, WorkCalendar
from services.runtime.clock import LegalMoment, start_of_legal_day

JIANGJIN, LHASA = "500116106", "540102001"
CALENDARS = st.sampled_from([JIANGJIN, LHASA]).map(WorkCalendar.of)
DAYS = st.dates(date(2023, 1, 1), date(2028, 12, 31))
MOMENTS = st.timedeltas(timedelta(0), timedelta(days=2000)).map(lambda after: datetime(2023, 1, 1, tzinfo=UTC) + after)


@pytest.mark.parametrize(("place", "day", "works"), [
    (JIANGJIN, date(2025, 1, 25), False),  # an ordinary Saturday
    (JIANGJIN, date(2025, 1, 26), True),  # Sunday, made up for Spring Festival
    (JIANGJIN, date(2025, 1, 27), True),
    (JIANGJIN, date(2025, 1, 28), False),  # New Year's Eve
    (JIANGJIN, date(2025, 2, 4), False),
    (JIANGJIN, date(2025, 2, 5), True),
    (JIANGJIN, date(2025, 2, 8), True),  # Saturday, made up
    (JIANGJIN, date(2026, 2, 14), True),  # Saturday, made up
    (JIANGJIN, date(2026, 2, 15), False),
    (JIANGJIN, date(2026, 2, 23), False),
    (JIANGJIN, date(2026, 2, 24), True),
    (JIANGJIN, date(2026, 2, 28), True),  # Saturday, made up
    (JIANGJIN, date(2025, 2, 27), True),
    (LHASA, date(2025, 2, 26), True),
    (LHASA, date(2025, 2, 27), False),  # Losar
    (LHASA, date(2025, 3, 4), False),
    (LHASA, date(2025, 3, 5), True),
    (LHASA, date(2026, 2, 24), False),  # Spring Festival and Losar in one
    (LHASA, date(2026, 2, 26), False),
    (LHASA, date(2026, 2, 27), True),
    (LHASA, date(2026, 2, 28), True),
    (LHASA, date(2023, 2, 18), True),  # Saturday, made up for Losar
    (LHASA, date(2023, 2, 20), False),
    (JIANGJIN, date(2023, 2, 18), False),
])
def test_a_day_works_as_the_place_published_it(place: str, day: date, works: bool) -> None:
    assert WorkCalendar.of(place).is_working_day(day) is works


@pytest.mark.parametrize(("accepted", "term", "last_day"), [
    ("2025-01-06T09:00+08:00", Term(3, "working_days"), date(2025, 1, 9)),
    ("2025-01-24T23:59+08:00", Term(3, "working_days"), date(2025, 2, 5)),  # 26 and 27 January, 5 February
    ("2025-01-06T09:00+08:00", Term(7, "calendar_days"), date(2025, 1, 13)),
    ("2025-01-06T00:00+08:00", Term(0, "calendar_days"), date(2025, 1, 6)),
    ("2026-02-13T12:00+08:00", Term(2, "working_days"), date(2026, 2, 24)),
])
def test_a_term_ends_at_the_end_of_its_last_day(accepted: str, term: Term, last_day: date) -> None:
    due_at = WorkCalendar.of(JIANGJIN).due_at(datetime.fromisoformat(accepted), term)
    assert due_at == start_of_legal_day(last_day + timedelta(days=1))
    assert due_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize(("place", "year", "provisional"), [
    (JIANGJIN, 2025, False), (JIANGJIN, 2026, False), (JIANGJIN, 2027, True),
    (LHASA, 2025, False), (LHASA, 2024, True), (LHASA, 2027, True),
    ("542200", 2025, True), ("632521", 2025, True), ("630121", 2026, True), ("630102", 2026, False),
])
def test_a_year_without_published_calendar_is_provisional(place: str, year: int, provisional: bool) -> None:
    assert WorkCalendar.of(place).provisional(year) is provisional


def test_a_term_running_into_an_unpublished_year_is_marked() -> None:
    calendar = WorkCalendar.of(JIANGJIN)
    late = datetime(2026, 12, 30, 2, tzinfo=UTC)
    assert not calendar.is_provisional(late, Term(1, "working_days"))
    assert calendar.is_provisional(late, Term(5, "working_days"))
    assert not calendar.is_provisional(late, Term(5, "calendar_days"))


@given(CALENDARS, DAYS, st.integers(1, 60))
def test_counting_lands_on_a_working_day_with_exactly_so_many_between(
    calendar: WorkCalendar, start: date, count: int
) -> None:
    end = calendar.add_working_days(start, count)
    days = [start + timedelta(days=n) for n in range(1, (end - start).days + 1)]
    assert calendar.is_working_day(end)
    assert sum(map(calendar.is_working_day, days)) == count


@given(CALENDARS, DAYS, st.integers(0, 30), st.integers(0, 30))
def test_counting_on_is_counting_once(calendar: WorkCalendar, start: date, first: int, then: int) -> None:
    assert calendar.add_working_days(calendar.add_working_days(start, first), then) == calendar.add_working_days(
        start, first + then
    )


@given(CALENDARS, MOMENTS, st.integers(0, 45), st.sampled_from(["working_days", "calendar_days"]))
def test_nobody_is_late_within_the_term(calendar: WorkCalendar, accepted: datetime, days: int, unit: str) -> None:
    term = Term(days, unit)  # pyright: ignore[reportArgumentType]
    due_at = calendar.due_at(accepted, term)
    assert due_at > accepted
    assert LegalMoment(due_at, timedelta(0), 0).today == calendar.last_day(
        LegalMoment(accepted, timedelta(0), 0).today, term
    ) + timedelta(days=1)


def test_a_negative_term_is_refused() -> None:
    with pytest.raises(ValueError, match="-1"):
        Term(-1, "working_days")
