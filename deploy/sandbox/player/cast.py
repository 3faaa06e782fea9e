"""The people of one performance: made-up identities, and the one form as they fill it in."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from contracts.benefits import Relation, Source
from contracts.events.application import Channel
from contracts.events.authorisation import SigningMethod
from deploy.sandbox.identities import account_number, identity_number, phone_number
from deploy.sandbox.player.story import Character, Step, Story

INCOME_KINDS = ("wage", "pension", "business", "property_income", "transfer")


@dataclass
class Person:
    """One character with the identity of this performance."""

    name: str
    ref: str
    character: Character
    identity_number: str
    account_number: str
    phone: str
    person_id: UUID | None = None

    @property
    def person_hash(self) -> str:
        """How the sandbox's sources name a person in their log of questions."""
        return hashlib.sha256(self.identity_number.encode()).hexdigest()


class Cast:
    """Everybody in one performance of a story."""

    def __init__(self, story: Story, seed: str, area_codes: dict[str, str]) -> None:
        self.story = story
        self.seed = seed
        self._codes = area_codes
        self.people = {
            name: Person(
                name=name, ref=f"p{number}", character=character,
                identity_number=identity_number(seed, name, character.born, self._codes[character.registered]),
                account_number=account_number(seed, name), phone=phone_number(seed, name),
            )
            for number, (name, character) in enumerate(story.people.items(), start=1)
        }

    @property
    def applicant(self) -> Person:
        """Whoever the household's one thing is for."""
        return self.people[self.story.household.applicant]

    @property
    def electricity_account(self) -> str | None:
        """The account of this performance: copies of a story live in other flats."""
        account = self.story.household.electricity_account
        return account and f"{account}-{hashlib.sha256(self.seed.encode()).hexdigest()[:6]}"

    def form(self, step: Step) -> dict[str, Any]:
        """The one form as this step fills it in."""
        family = self.story.household.family
        answers = self._answers(step)
        if family is not None:
            answers["family_lived_with"] = {"members_count": family.members,
                                            "income_fen_month": round(family.income_yuan_month * 100)}
        return answers

    def _answers(self, step: Step) -> dict[str, Any]:
        emergency = step.cause is not None
        signers = [self.applicant.name] if step.authorises is None else step.authorises
        return {
            "channel": Channel.OFFICER if emergency else Channel(step.source),
            "benefits": step.benefits,
            "standard": self.story.household.standard,
            "submitted_in": self._codes[step.at or self.applicant.character.lives],
            "living_area": self._codes[self.applicant.character.lives],
            "persons": [self._person(self.people[name], signs=not emergency and name in signers)
                        for name in self.story.household.members],
            "accounts": [{"holder": self.applicant.ref, "bank": "重庆农村商业银行",
                          "number": self.applicant.account_number}],
            "supporters": [self._supporter(self.people[name], yuan)
                           for name, yuan in self.story.household.supporters.items()],
            "electricity_account": self.electricity_account,
            "promise_of_truth": True,
        }

    def authorisation(self, person: Person, method: SigningMethod) -> dict[str, Any]:
        """The electronic authorisation this person signs: every source."""
        return {"method": method, "scope": list(Source), "signed_name": person.name}

    @staticmethod
    def _supporter(person: Person, yuan_month: float) -> dict[str, Any]:
        return {"name": person.name, "identity_number": person.identity_number,
                "relation": person.character.relation or Relation.OTHER, "monthly_support_fen": round(yuan_month * 100)}

    def _person(self, person: Person, *, signs: bool) -> dict[str, Any]:
        """What one member declares. What a story does not mention is declared as nothing: no income, no illness."""
        character = person.character
        is_applicant = person.name == self.story.household.applicant
        answers: dict[str, Any] = {
            "ref": person.ref,
            "name": person.name,
            "identity_number": person.identity_number,
            "phone": person.phone,
            "relation": Relation.APPLICANT if is_applicant else character.relation or Relation.OTHER,
            "registered_area": self._codes[character.registered],
            "serious_illness": character.serious_illness or False,
            "able_to_work": character.able_to_work,
            "in_full_time_education": character.in_full_time_education or False,
            "disability": character.disability.model_dump() if character.disability else None,
            "income": {f"{kind}_fen_month": round((getattr(character, f"{kind}_yuan_month") or 0) * 100)
                       for kind in INCOME_KINDS},
        }
        if signs:
            answers["authorisation"] = self.authorisation(person, SigningMethod.REMOTE_CODE)
        return {name: value for name, value in answers.items() if value is not None}
