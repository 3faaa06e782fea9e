"""The benefits there are (benefits/): whose they are, how they join a case, by which variables, said in which words."""

from __future__ import annotations

from functools import cache
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from contracts.benefits import Benefit, Department
from contracts.events.referral import Joining
from services.rulebook.data_files import RULEBOOK, read_folder

GivenPer = Literal["monthly", "once", "yearly", "term"]


class Row(BaseModel):
    """Base of everything read from benefits/."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Condition(Row):
    """A truth that must hold; of persons, for one at least."""

    variable: str
    met: str | None = Field(default=None, description="Code of the message where it holds; nothing is said without.")
    not_met: str = Field(description="Code of the message where it does not.")
    cites: tuple[str, ...] = Field(default=(), description="Parameters, or groups of them, cited beside the message.")


class Line(Row):
    """A part of the amount. Of persons, a line for each who gets something."""

    code: str
    variable: str
    says: str = Field(description="Code of the message.")
    cites: tuple[str, ...] = ()


class BenefitRule(Row):
    """One benefit."""

    code: Benefit
    zh: str
    en: str
    department: Department
    joins: Joining
    result_type: Literal["money", "fee_waiver", "service", "recognition"] = "money"
    given_per: GivenPer = "monthly"
    granted: str = Field(description="The variable that says whether; of persons, for whom.")
    amount: str | None = Field(default=None, description="The variable with the sum; None where no money is given.")
    county_decides: str | None = Field(default=None, description="True where the sum is above what the town decides.")
    conditions: tuple[Condition, ...]
    lines: tuple[Line, ...] = ()
    bounded: bool = Field(default=True, description="More favourable facts never make the result less favourable.")
    excludes: tuple[Benefit, ...] = Field(default=(), description="Not for the same household at the same time.")
    follows: tuple[Benefit, ...] = Field(default=(), description="Given because one of these is.")

    @property
    def given(self) -> tuple[str, ...]:
        """The variables that say what is given: whether, the sum and its parts, and whose signature it needs."""
        names = (self.granted, self.amount, self.county_decides, *(line.variable for line in self.lines))
        return tuple(dict.fromkeys(name for name in names if name is not None))

    @property
    def variables(self) -> tuple[str, ...]:
        """Everything to calculate."""
        return tuple(dict.fromkeys((*self.given, *(condition.variable for condition in self.conditions))))


@cache
def benefits() -> dict[Benefit, BenefitRule]:
    """Every benefit by code, in the order of the files."""
    return {Benefit(str(code)): BenefitRule(code=Benefit(str(code)), **row)
            for code, row in read_folder(RULEBOOK / "benefits").items()}
