"""Resident identity numbers (居民身份证号码, GB 11643-1999): form, check digit, birth date, sex."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

from stdnum import numdb
from stdnum.cn import ric

PLAIN: Final = re.compile(r"[0-9]{17}[0-9X]", re.ASCII)
BIRTH_DATE: Final = slice(6, 14)
OLDEST_AGE_YEARS: Final = 130
SEX_DIGIT: Final = 16
ADULT_AGE_YEARS: Final = 18


@dataclass(frozen=True, slots=True)
class IdentityNumber:
    """A valid number, normalised, with what it says about its holder."""

    number: str
    born_on: date
    sex: str
    """`male` or `female` (GB 11643: the seventeenth digit is odd for men)."""

    def __repr__(self) -> str:
        # Hazard: a generated repr would put the number into logs and error messages.
        return "IdentityNumber(…)"


def parse(text: str, *, today: date) -> IdentityNumber | None:
    """The identity number in `text`, or None where it is not one that a living person can hold today."""
    number = text if PLAIN.fullmatch(text) else ric.compact(text)
    if not PLAIN.fullmatch(number):
        return None
    # Hazard: `ric.validate` is not used. It wants the county's code in force in the year of birth, but numbers
    # carry the code of the year in which they were issued: it would refuse real people born before a re-coding.
    if number[-1] != ric.calc_check_digit(number) or not _is_province(number[:2]):
        return None
    try:
        born_on = date.fromisoformat(number[BIRTH_DATE])
    except ValueError:
        return None
    if not today.year - OLDEST_AGE_YEARS <= born_on.year or born_on > today:
        return None
    return IdentityNumber(number, born_on, "male" if int(number[SEX_DIGIT]) % 2 else "female")


def is_adult(born_on: date, on: date) -> bool:
    """Whether 18 years are completed on that day (民法典 Art. 17)."""
    years = on.year - born_on.year - ((on.month, on.day) < (born_on.month, born_on.day))
    return years >= ADULT_AGE_YEARS


@lru_cache(maxsize=128)
def _is_province(code: str) -> bool:
    return any("province" in properties for _, properties in numdb.get("cn/loc").info(code))
