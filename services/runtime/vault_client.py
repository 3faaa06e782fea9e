"""Identifiers for others: asked of intake's vault, encrypted to the recipient, with a purpose, on record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from contracts.http.vault import Purpose, Seal, SealAnswer, Sealed, SealRequest, VaultField
from services.runtime.clients import Refused

if TYPE_CHECKING:
    from services.runtime.context import Runtime

PERSONS_MAX = 1000
PERSON_UNKNOWN = "person_unknown"
"""The vault's problem for a person it has nothing about; its other refusals are about us."""
VAULT = "intake"


async def seal(
    runtime: Runtime,
    *,
    purpose: Purpose,
    recipient: str,
    case_id: UUID,
    person_ids: Iterable[UUID],
    fields: Sequence[VaultField],
) -> dict[UUID, str]:
    """A JWE per person of one case that only `recipient` can open. Raises Unavailable or Refused."""
    persons = [SealRequest(person_id=person_id, case_id=case_id) for person_id in person_ids]
    sealed = await seal_many(runtime, purpose=purpose, recipient=recipient, persons=persons, fields=fields)
    return {item.person_id: item.jwe for item in sealed}


async def seal_many(
    runtime: Runtime,
    *,
    purpose: Purpose,
    recipient: str,
    persons: Sequence[SealRequest],
    fields: Sequence[VaultField],
) -> list[Sealed]:
    """The same for persons of many cases, in the order asked, in as few calls as the vault allows."""
    client = runtime.client(runtime.url_of(VAULT), VAULT)
    answers: list[Sealed] = []
    for start in range(0, len(persons), PERSONS_MAX):
        request = Seal(
            purpose=purpose,
            recipient=recipient,
            fields=list(fields),
            persons=list(persons[start : start + PERSONS_MAX]),
        )
        # Sealing changes nothing but the record of reads, so it may be repeated.
        response = await client.post("/vault/seal", request, idempotent=True)
        answers.extend(SealAnswer.model_validate_json(response.content).sealed)
    return answers


async def seal_known(
    runtime: Runtime,
    *,
    purpose: Purpose,
    recipient: str,
    persons: Sequence[SealRequest],
    fields: Sequence[VaultField],
) -> list[Sealed | None]:
    """As `seal_many`, with None for a person the vault has nothing about: such a one holds up no other."""
    try:
        return list(await seal_many(runtime, purpose=purpose, recipient=recipient, persons=persons, fields=fields))
    except Refused as refused:
        if refused.code != PERSON_UNKNOWN:
            raise
    if len(persons) == 1:
        return [None]
    middle = len(persons) // 2
    halves = [
        await seal_known(runtime, purpose=purpose, recipient=recipient, persons=half, fields=fields)
        for half in (persons[:middle], persons[middle:])
    ]
    return [*halves[0], *halves[1]]
