"""Legal time: the machine's time plus one offset, which only leaps change and only outside production."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Final
from zoneinfo import ZoneInfo

LEGAL_ZONE: Final = ZoneInfo("Asia/Shanghai")

LEAPT_CLOCK_SQL: Final = (
    "select clock_timestamp(), coalesce(leap.offset_us, 0), coalesce(leap.number, 0) from (select) as one "
    "left join (select number, offset_us from clock.leaps order by number desc limit 1) as leap on true"
)
"""Machine time, offset in microseconds and number of the newest leap. Read in every transaction, never cached."""

MACHINE_CLOCK_SQL: Final = "select clock_timestamp(), 0::bigint, 0::bigint"
"""The same in production, where no leap exists and none is looked for."""


@dataclass(frozen=True)
class LegalMoment:
    """The legal time at the start of a transaction, and which leap it counts from."""

    now: datetime
    """Legal time, UTC."""
    offset: timedelta
    """Legal time minus the machine's time."""
    leap_number: int
    """The newest leap seen; 0 where there was none. The highest number wins where two moments meet."""

    @classmethod
    def read(cls, machine_now: datetime, offset_us: int, leap_number: int) -> LegalMoment:
        """The moment from what either statement above returned."""
        offset = timedelta(microseconds=offset_us)
        return cls(now=machine_now.astimezone(UTC) + offset, offset=offset, leap_number=leap_number)

    @cached_property
    def today(self) -> date:
        """The legal date (Asia/Shanghai): rules are evaluated on it."""
        return legal_date(self.now)


def legal_date(moment: datetime) -> date:
    """The date in Asia/Shanghai at a moment. Raises ValueError for a moment without time zone."""
    if moment.tzinfo is None:
        raise ValueError("A legal moment needs a time zone; this one has none.")
    return moment.astimezone(LEGAL_ZONE).date()


def start_of_legal_day(day: date) -> datetime:
    """00:00 of a day in Asia/Shanghai, as UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=LEGAL_ZONE).astimezone(UTC)
