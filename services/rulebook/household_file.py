"""A household written down by hand (YAML), to ask the rulebook about: every fact in it is taken as proven."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contracts.benefits import Relation
from contracts.facts import HOUSEHOLD_FACTS, Fact, FactName, FactValue, Origin
from services.rulebook.data_files import read_yaml
from services.rulebook.evidence import fact_rules, fits
from services.rulebook.models import HouseholdFacts, Member
from services.rulebook.places import find_place

AS_TOLD = "as told in the file"


class BadHousehold(ValueError):
    """A file that says something a household cannot be; the message names the file and the field."""


class HouseholdFile(BaseModel):
    """What such a file holds: the facts by the names of evidence.yaml, money in fen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = ""
    source: str = ""
    place: str = Field(description="Code or Chinese name of the area.")
    day: date
    household: dict[FactName, FactValue] = {}
    members: dict[str, dict[FactName, FactValue]] = Field(min_length=1, description="By a name of your own.")

    def facts(self, on: date | None = None) -> HouseholdFacts:
        """As the rulebook is asked. Raises UnknownPlace."""
        day = on or self.day
        return HouseholdFacts(
            key=self.title, place=find_place(self.place).code, on=day, facts=_facts(self.household, day),
            members=[Member(person_id=self.person_id(name), relation=_relation(index), facts=_facts(known, day))
                     for index, (name, known) in enumerate(self.members.items())],
        )

    def person_id(self, name: str) -> UUID:
        """Of a member, by the household's title and the name in the file."""
        return uuid5(NAMESPACE_OID, f"{self.title}/{name}")


def _relation(index: int) -> Relation:
    return Relation.OTHER if index else Relation.APPLICANT


def _facts(known: dict[FactName, FactValue], on: date) -> list[Fact]:
    return [Fact(name=name, value=value, origin=Origin.VISIT, as_of=on, source=AS_TOLD)
            for name, value in known.items()]


def read_household(file: Path) -> HouseholdFile:
    """The household in a file. Raises BadHousehold, OSError."""
    try:
        content = read_yaml(file)
    except (yaml.YAMLError, ValueError) as error:
        raise BadHousehold(f"{file}: {' '.join(str(error).split())}") from None
    return household_of(content, str(file))


def household_of(content: dict[Any, Any], where: str) -> HouseholdFile:
    """The household in such a mapping; `where` is named in what is raised. Raises BadHousehold."""
    try:
        told = HouseholdFile.model_validate(content)
        find_place(told.place)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"] if part != "[key]")
        raise BadHousehold(f"{where}: {field}: {first['msg']}.") from None
    except ValueError as error:
        raise BadHousehold(f"{where}: place: {error}") from None
    for name, value, field, of_household in _told(told):
        if (name in HOUSEHOLD_FACTS) != of_household:
            whose = "the household" if name in HOUSEHOLD_FACTS else "a member"
            raise BadHousehold(f"{where}: {field}: {name} is a fact about {whose}. Move it there.")
        if not fits(name, value, told.day):
            raise BadHousehold(f"{where}: {field}: {value!r} cannot be a value of it ({fact_rules()[name].type}). "
                               "Sums are whole fen from 0 on, days not later than `day`.")
    return told


def _told(told: HouseholdFile) -> list[tuple[FactName, FactValue, str, bool]]:
    return [*((name, value, f"household.{name}", True) for name, value in told.household.items()),
            *((name, value, f"members.{member}.{name}", False)
              for member, known in told.members.items() for name, value in known.items())]
