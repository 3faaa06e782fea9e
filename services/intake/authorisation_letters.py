"""Letters of authorisation (授权书): their numbers, rows and events, however they were signed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from contracts.envelope import Subject, new_id
from contracts.events.authorisation import AuthorisationSigned
from contracts.http.application import Authorisation
from services.runtime.clock import legal_date
from services.runtime.database import Transaction

COUNTY_DIGITS = 6

NEXT_SERIALS = "select nextval('intake.letter_serial') as serial from generate_series(1, $1)"


@dataclass(frozen=True, slots=True)
class Signing:
    """A person of a case signs."""

    case_id: UUID
    person_id: UUID
    jurisdiction: str
    authorisation: Authorisation
    signed_before: str
    """Subject of the token with which the signature came."""
    is_published: bool
    """False in a case whose every item only joined others: nobody hears of it."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A numbered letter: its row and its event."""

    signing: Signing
    row: dict[str, Any]
    event: AuthorisationSigned
    subject: Subject


async def number_letters(tx: Transaction, signings: Sequence[Signing]) -> list[Letter]:
    """Number each letter: year, county, serial; nothing in the number is about the person."""
    if not signings:
        return []
    rows = await tx.driver.fetch(NEXT_SERIALS, len(signings))
    return [_letter(signing, row["serial"], tx.clock.now) for signing, row in zip(signings, rows, strict=True)]


def _letter(signing: Signing, serial: int, now: datetime) -> Letter:
    authorisation = signing.authorisation
    scope = sorted(set(authorisation.scope))
    number = f"{legal_date(now).year}-{signing.jurisdiction[:COUNTY_DIGITS]}-{serial:08d}"
    content: dict[str, Any] = {
        "number": number, "case_id": signing.case_id, "person_id": signing.person_id,
        "method": authorisation.method.value, "scope": [source.value for source in scope], "signed_at": now,
    }
    event = AuthorisationSigned(
        authorisation_id=new_id(), number=number, person_id=signing.person_id, signed_at=now,
        method=authorisation.method, scope=scope,
    )
    row = {
        **content, "authorisation_id": event.authorisation_id, "jurisdiction": signing.jurisdiction,
        "signed_before": signing.signed_before,
        "letter_sha256": hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest(),
    }
    return Letter(signing, row, event, Subject(case_id=signing.case_id, jurisdiction=signing.jurisdiction))
