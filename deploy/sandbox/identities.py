"""Made-up people: identity numbers (GB 11643) that are valid in form and belong to nobody.

The same story, copy and person always get the same numbers, so that a scan can look for them afterwards.
"""

from __future__ import annotations

import hashlib
from datetime import date

from stdnum.cn import ric


def identity_number(seed: str, person: str, born: date, county: str) -> str:
    """An identity number for a made-up person, with its check digit."""
    sequence = int.from_bytes(hashlib.sha256(f"{seed}/{person}".encode()).digest()[:4]) % 1000
    stem = f"{county[:6]}{born:%Y%m%d}{sequence:03d}"
    return stem + ric.calc_check_digit(stem + "0")


def account_number(seed: str, person: str) -> str:
    """A 19-digit bank account number."""
    digits = int.from_bytes(hashlib.sha256(f"account/{seed}/{person}".encode()).digest()[:8]) % 10**13
    return f"621700{digits:013d}"


def phone_number(seed: str, person: str) -> str:
    """A mobile number in a range that is not assigned."""
    digits = int.from_bytes(hashlib.sha256(f"phone/{seed}/{person}".encode()).digest()[:4]) % 10**8
    return f"100{digits:08d}"
