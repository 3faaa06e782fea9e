"""When officers usually do things: on working days, in office hours, soon."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import chinese_calendar

from contracts.http.casework import Task, TaskKind
from deploy.sandbox.actor import CHINA

DESK_HOURS = {TaskKind.VISIT: time(10), TaskKind.GIVE_FINDING: time(14), TaskKind.CONFIRM_DECISION: time(9, 30)}
USUAL_DAYS = {TaskKind.VISIT: 1, TaskKind.GIVE_FINDING: 1, TaskKind.CONFIRM_DECISION: 0}


def next_working_day(day: date) -> date:
    """The day itself, or the first working day after it."""
    while not _is_working_day(day):
        day += timedelta(days=1)
    return day


def planned_for(task: Task, legal_now: datetime) -> datetime:
    """The legal moment at which this task will be done; never before it opens, never in the past."""
    today = legal_now.astimezone(CHINA).date()
    earliest = max(today + timedelta(days=USUAL_DAYS.get(task.kind, 1)), task.opens_on or today)
    planned = datetime.combine(next_working_day(earliest), DESK_HOURS.get(task.kind, time(11)), CHINA)
    return max(planned, legal_now)


def _is_working_day(day: date) -> bool:
    try:
        return chinese_calendar.is_workday(day)
    except NotImplementedError:  # a year whose holidays are not published yet
        return day.weekday() < 5
