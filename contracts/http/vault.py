"""Intake's vault: `POST /vault/seal`. Identifiers leave it only encrypted to a recipient's key, on record."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from contracts.http.message import Answer, Command


class VaultField(StrEnum):
    """What the vault keeps."""

    NAME = "name"
    IDENTITY_NUMBER = "identity_number"
    PHONE = "phone"
    BANK_ACCOUNT = "bank_account"
    ELECTRICITY_ACCOUNT = "electricity_account"


class Purpose(StrEnum):
    """Why identifiers are needed; each purpose allows certain recipients and fields."""

    MEANS_CHECK = "means_check"
    PAYMENT = "payment"
    REFERRAL = "referral"


class SealRequest(Command):
    """One person's fields, wanted for one case."""

    person_id: UUID
    case_id: UUID


class Seal(Command):
    """Encrypt fields of many persons to one recipient: `source:<name>`, `bank` or `department:<code>`."""

    purpose: Purpose
    recipient: Annotated[str, Field(pattern=r"^(source|department):[a-z_]+$|^bank$")]
    fields: Annotated[list[VaultField], Field(min_length=1, max_length=5)]
    persons: Annotated[list[SealRequest], Field(min_length=1, max_length=1000)]


class Sealed(Answer):
    """One JWE (compact, JSON object of the fields); `missing` names fields the vault has not got."""

    person_id: UUID
    case_id: UUID
    jwe: str
    missing: list[VaultField] = []


class SealAnswer(Answer):
    """In the order asked."""

    sealed: list[Sealed]
