"""Bases of HTTP messages and the refusal that names the field (RFC 9457)."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

IDENTITY_NUMBER: Final = re.compile(r"\d{17}[\dXx]", re.ASCII)


def _without_identity_number(text: str) -> str:
    if IDENTITY_NUMBER.search(text):
        raise ValueError("请勿填写身份证号码。Write this without any identity number.")
    return text


Unidentifying = Annotated[str, AfterValidator(_without_identity_number)]
"""Words that travel in events or stand outside the vault: an identity number in them is refused."""


class Command(BaseModel):
    """A request to us: unknown fields are refused, so that a misspelt one is noticed."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Answer(BaseModel):
    """A response of ours, or of another party: fields we do not know are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class FieldError(Answer):
    """One thing wrong with one field; never repeats the value."""

    field: str = Field(description="Dotted path, such as `persons.0.identity_number`.")
    code: str
    message: str


class ProblemDetails(Answer):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] = Field(default_factory=list[FieldError])
