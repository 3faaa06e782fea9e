"""A story as data: who the people are, what sources would answer, who does what and when, what must come of it."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Any, Self

import chinese_calendar
from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts.benefits import Benefit, Relation, Source, Standard
from contracts.facts import FactName
from deploy.sandbox.actor import CHINA

DEFAULT_LENGTH = timedelta(days=75)
ON_DAY = re.compile(r"^(?P<working>working )?day (?P<n>\d+)(?: (?P<time>\d\d:\d\d))?$")


class StoryPart(BaseModel):
    """A part of a story; an unknown word is an error, never a pass."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Calendar(StoryPart):
    """When the story is played, in legal time (Asia/Shanghai)."""

    starts: datetime
    ends: datetime | None = None
    city: str | None = None

    def start(self) -> datetime:
        """The first moment."""
        return self.starts.replace(tzinfo=CHINA)

    def end(self) -> datetime:
        """The moment at which expectations are judged."""
        return self.ends.replace(tzinfo=CHINA) if self.ends else self.start() + DEFAULT_LENGTH


class DisabilityCertificate(StoryPart):
    """As on the certificate."""

    kind: str
    grade: int


class Character(StoryPart):
    """One of the people. Sums in yuan, as a newspaper prints them."""

    born: date
    registered: str
    lives: str
    relation: Relation | None = None
    serious_illness: bool | None = None
    able_to_work: bool | None = None
    in_full_time_education: bool | None = None
    disability: DisabilityCertificate | None = None
    wage_yuan_month: float | None = None
    pension_yuan_month: float | None = None
    business_yuan_month: float | None = None
    property_income_yuan_month: float | None = None
    transfer_yuan_month: float | None = None


class FamilyLivedWith(StoryPart):
    """The family that one who applies alone lives with."""

    members: int
    income_yuan_month: float


class Household(StoryPart):
    """Who belongs together; `supporters`: who owes support from outside, and how much a month in yuan."""

    applicant: str
    members: list[str]
    standard: Standard
    electricity_account: str | None = None
    family: FamilyLivedWith | None = None
    supporters: dict[str, float] = {}


class Does(StrEnum):
    """What somebody in a story can do."""

    APPLY = "apply"
    AUTHORISE = "authorise"
    VISIT = "visit"
    REGISTER_EMERGENCY = "register_emergency"


class Step(StoryPart):
    """Somebody does something."""

    on: str
    by: str
    does: Does
    benefits: list[Benefit] = Field(default=[Benefit.DIBAO], alias="for")
    source: str = Field(default="phone", alias="from")
    at: str | None = None
    authorises: list[str] | None = None
    """Who signs the authorisation in the same act; the applicant, unless said otherwise."""
    finds: dict[FactName, bool | int | str] = {}
    cause: str | None = None
    amount_yuan: float | None = None

    def moment(self, starts: datetime) -> datetime:
        """When it happens: `day 1`, `working day 3 14:00`, or a date. Raises ValueError for anything else."""
        match = ON_DAY.match(self.on)
        if match is None:
            return datetime.fromisoformat(self.on).replace(tzinfo=CHINA)
        number = int(match["n"])
        day = starts.date() + timedelta(days=0 if match["working"] else number)
        while match["working"] and number > 0:
            day += timedelta(days=1)
            number -= chinese_calendar.is_workday(day)
        usual = starts.time() if number == 0 and day == starts.date() else time(10)
        clock = time.fromisoformat(match["time"]) if match["time"] else usual
        return datetime.combine(day, clock, CHINA)


class Provenance(StoryPart):
    """What comes from the source, and what was made up."""

    from_source: list[str] = []
    made_up: list[str] = []


Answers = dict[str, dict[str, Any] | str]
"""Per person: the data, or a word: refuses, silent, unreachable, no record, late N days, late N hours."""


class Story(StoryPart):
    """One real matter told once."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,24}$")]
    title: str
    source: str
    facts: Provenance
    calendar: Calendar
    people: Annotated[dict[str, Character], Field(min_length=1)]
    household: Household
    sources: dict[Source, Answers] = {}
    department: dict[str, dict[str, Any]] = {}
    """How a department behaves: `electricity: {answer: refused, after_days: 3}`."""
    steps: Annotated[list[Step], Field(min_length=1)]
    expect: Annotated[list[str], Field(min_length=1)]

    @model_validator(mode="after")
    def hangs_together(self) -> Self:
        """Every name is somebody's, and every step has a moment."""
        household = self.household
        named = {household.applicant, *household.members, *household.supporters,
                 *(name for answers in self.sources.values() for name in answers)}
        strangers = named - self.people.keys()
        if strangers:
            raise ValueError(f"Story {self.id} names people it does not describe: {', '.join(sorted(strangers))}.")
        for step in self.steps:
            step.moment(self.calendar.start())
        return self
