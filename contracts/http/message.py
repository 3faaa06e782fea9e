"""Bases of HTTP messages and the refusal that names the field (RFC 9457)."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(3000, 1, 1, tzinfo=UTC)
SEPARATORS: Final = r"[\s\u200b\-\u2010-\u2015\u00b7._/]{0,3}"
"""What people write between the digits of a number."""


def _apart(*characters: str) -> re.Pattern[str]:
    return re.compile(r"(?<!\d)" + SEPARATORS.join(characters) + r"(?!\d)")


IDENTIFIERS: Final = (
    re.compile(r"\d{17}[\dXx]"),
    # GB 11643: area, date of birth, serial, check digit.
    _apart("[1-9]", *[r"\d"] * 5, f"(?:1{SEPARATORS}[89]|2{SEPARATORS}0)", r"\d", r"\d", "[01]", r"\d", "[0-3]",
           *[r"\d"] * 4, r"[\dXx]"),
    _apart("1", "[3-9]", *[r"\d"] * 9),
)
"""Numbers by which a person is known: identity numbers, the digits apart too, and mobile numbers."""


def _without_identifiers(text: str) -> str:
    # Full-width digits and letters are digits and letters all the same.
    plain = unicodedata.normalize("NFKC", text)
    if any(identifier.search(plain) for identifier in IDENTIFIERS):
        raise ValueError("请勿填写身份证号码或手机号码。Write this without any identity or mobile number.")
    return text


Unidentifying = Annotated[str, AfterValidator(_without_identifiers)]
"""Words that travel in events or stand outside the vault: an identity or mobile number in them is refused."""


def _that_any_zone_can_tell(moment: datetime) -> datetime:
    if not EARLIEST <= moment < LATEST:
        raise ValueError("须在1900年至2999年之间。Not a moment from 1900 to 2999.")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_that_any_zone_can_tell)]
"""A moment told to us. Hazard: at either end of what a datetime holds, another time zone overflows."""


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
