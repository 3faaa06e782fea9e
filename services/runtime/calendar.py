"""Working days and due moments of a place: the State Council's calendar with make-up days, and regional days."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import chinese_calendar  # pyright: ignore[reportMissingTypeStubs]
import yaml

from services.runtime.clock import legal_date, start_of_legal_day

ONE_DAY: Final = timedelta(days=1)
SATURDAY: Final = 5
REGIONAL_DAYS_FILE: Final = Path(__file__).with_name("calendar_days.yaml")


@dataclass(frozen=True, slots=True)
class Term:
    """A term in days, as a rule states it: it starts the day after and ends at 24:00 of its last day."""

    days: int
    unit: Literal["working_days", "calendar_days"]

    def __post_init__(self) -> None:
        if self.days < 0:
            raise ValueError(f"A term cannot have {self.days} days.")


@dataclass(frozen=True, slots=True)
class RegionalDays:
    """One region's own days, by year; a year that is missing was not published."""

    name: str
    years: frozenset[int]
    days_off: frozenset[date]
    working_days: frozenset[date]


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """The working days of one place."""

    region: RegionalDays | None = None

    @classmethod
    def of(cls, jurisdiction: str) -> WorkCalendar:
        """The calendar of a place: the longest regional prefix of its code, else the national one."""
        regions = _regions()
        matching = [prefix for prefix in regions if jurisdiction.startswith(prefix)]
        return cls(regions[max(matching, key=len)] if matching else None)

    def provisional(self, year: int) -> bool:
        """Whether no calendar of that year is published for this place: Monday to Friday count until it is."""
        if year not in _national_years():
            return True
        return self.region is not None and year not in self.region.years

    def is_working_day(self, day: date) -> bool:
        """Whether offices work on that day."""
        if self.region is not None:
            if day in self.region.days_off:
                return False
            if day in self.region.working_days:
                return True
        if day in chinese_calendar.workdays:
            return True
        return day.weekday() < SATURDAY and day not in chinese_calendar.holidays

    def add_working_days(self, day: date, count: int) -> date:
        """The count-th working day after a day; the day itself for 0. Raises ValueError for less."""
        if count < 0:
            raise ValueError(f"Cannot count {count} working days: give 0 or more.")
        while count > 0:
            day += ONE_DAY
            if self.is_working_day(day):
                count -= 1
        return day

    def last_day(self, starts: date, term: Term) -> date:
        """The last day of a term that starts the day after `starts`."""
        if term.unit == "working_days":
            return self.add_working_days(starts, term.days)
        return starts + term.days * ONE_DAY

    def due_at(self, accepted: datetime, term: Term) -> datetime:
        """The first moment that is too late: 00:00 (Asia/Shanghai) after the term's last day, as UTC."""
        return start_of_legal_day(self.last_day(legal_date(accepted), term) + ONE_DAY)

    def is_provisional(self, accepted: datetime, term: Term) -> bool:
        """Whether a due moment may still move, because a year it runs through has no published calendar."""
        first = legal_date(accepted)
        return term.unit == "working_days" and any(
            self.provisional(year) for year in range(first.year, self.last_day(first, term).year + 1)
        )


@cache
def _national_years() -> frozenset[int]:
    """Years that the State Council's calendar, as chinesecalendar carries it, covers."""
    return frozenset(day.year for day in chinese_calendar.holidays)


@cache
def _regions() -> Mapping[str, RegionalDays]:
    described = yaml.safe_load(REGIONAL_DAYS_FILE.read_text(encoding="utf-8"))
    return {prefix: _region(region) for prefix, region in described["regions"].items()}


def _region(described: Mapping[str, Any]) -> RegionalDays:
    years: Mapping[int, Any] = described["years"]
    return RegionalDays(
        name=described["name"],
        years=frozenset(years),
        days_off=frozenset(
            day for year in years.values() for span in year["days_off"] for day in _days(span["from"], span["to"])
        ),
        working_days=frozenset(day for year in years.values() for day in year["working_days"]),
    )


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += ONE_DAY
