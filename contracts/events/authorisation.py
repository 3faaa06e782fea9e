"""Family `authorisation`: a person lets sources be asked about them (电子授权)."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from contracts.benefits import Source
from contracts.envelope import Event
from contracts.vocabulary import GrowingVocabulary


class SigningMethod(GrowingVocabulary):
    """How it was signed. A route without a face check is always offered."""

    IN_PERSON = "in_person"
    REMOTE_CODE = "remote_code"
    GUARDIAN = "guardian"


class AuthorisationSigned(Event):
    """A person (or a guardian) authorised the sources named; no source is asked before all have."""

    TYPE: ClassVar[str] = "authorisation.signed.v1"

    authorisation_id: UUID
    number: str = Field(description="Number of the authorisation letter (授权书编号).")
    person_id: UUID
    signed_at: AwareDatetime
    method: SigningMethod
    scope: list[Source] = Field(description="The sources that may be asked.")


class AuthorisationRevoked(Event):
    """The authorisation ended: nothing is asked under it from `revoked_at` on."""

    TYPE: ClassVar[str] = "authorisation.revoked.v1"

    authorisation_id: UUID
    person_id: UUID
    revoked_at: AwareDatetime
