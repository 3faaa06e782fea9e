"""What officers find when they look: what the story tells of the case, else what a quiet town shows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Final
from uuid import UUID

from contracts.facts import HOUSEHOLD_FACTS, Fact, FactName, Origin
from contracts.http.casework import Finding

DOCUMENT_SEEN: Final = "入户调查表 (sandbox)"
FOUND_AS_A_RULE: Final[Mapping[FactName, bool]] = {
    FactName.ASSETS_WITHIN_LOCAL_LIMIT: True, FactName.ALIVE: True, FactName.SERIOUS_ILLNESS: False,
}
"""What officers see for themselves where no story says otherwise. Sums they would have to be told."""


def findings(
    wanted: Collection[str], told: Mapping[FactName, bool | int | str], person_ids: Sequence[UUID], on: date
) -> list[Finding]:
    """Findings about the household, and about each of its persons; what an officer cannot see is left out."""
    values = {name: told.get(name, FOUND_AS_A_RULE.get(name)) for name in FactName if name in wanted or name in told}
    return [
        Finding(document=DOCUMENT_SEEN, fact=Fact(
            person_id=person_id, name=name, value=value, origin=Origin.VISIT, as_of=on, source=DOCUMENT_SEEN,
        ))
        for name, value in values.items() if value is not None
        for person_id in ([None] if name in HOUSEHOLD_FACTS else person_ids)
    ]
