"""Use case: identifiers leave the vault only sealed to one recipient, for a purpose, on record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import orjson

from contracts.http.vault import Seal, SealAnswer, Sealed, SealRequest, VaultField
from services.intake import rules
from services.intake.models import VaultAccessRow
from services.intake.recipient_keys import Agreement, RecipientKeys
from services.intake.settings import settings_of
from services.intake.vault import KeptField, Vault
from services.runtime.bulk_insert import bulk_insert
from services.runtime.context import Runtime
from services.runtime.database import Transaction
from services.runtime.problems import FieldError, Problem
from services.runtime.tokens import Caller

ENTRIES: Final = (
    "select wanted.position, member.jurisdiction, entry.field, entry.key_id, entry.ciphertext "
    "from unnest($1::uuid[], $2::uuid[]) with ordinality as wanted (case_id, person_id, position) "
    "join intake.members as member using (case_id, person_id) "
    "left join intake.vault_entries as entry on entry.case_id = wanted.case_id "
    "and entry.person_id = wanted.person_id and entry.field = any($3) "
    "order by entry.entry_number"
)


@dataclass(slots=True)
class _Entries:
    """What the vault has of one person in one case, still encrypted."""

    jurisdiction: str
    ciphertexts: dict[VaultField, tuple[str, bytes]] = field(default_factory=dict[VaultField, tuple[str, bytes]])


async def seal_identifiers(runtime: Runtime, caller: Caller, request: Seal) -> SealAnswer:
    """Seal fields of many persons. The reads are on record, committed, before anything is handed out.

    Raises Problem 403 `purpose_not_allowed`, 404 `recipient_unknown`, 404 `person_unknown` naming the position
    in the request.
    """
    settings = settings_of(runtime)
    refusal = rules.sealing_refusal(
        request.purpose, caller=caller.subject, recipient=request.recipient, fields=frozenset(request.fields)
    )
    if refusal is not None:
        raise Problem(403, "purpose_not_allowed", refusal)
    if request.recipient not in settings.recipients:
        raise Problem(404, "recipient_unknown", f"No key of {request.recipient} is known. Add it to the keys' file.")
    async with runtime.database.transaction() as tx:
        found = await _entries(tx, request)
        await _record_reads(tx, caller, request, found)
    return SealAnswer(sealed=_seal_all(settings.vault, settings.recipients, request, found))


async def _entries(tx: Transaction, request: Seal) -> list[_Entries]:
    rows = await tx.driver.fetch(
        ENTRIES, [person.case_id for person in request.persons], [person.person_id for person in request.persons],
        [name.value for name in request.fields],
    )
    found: dict[int, _Entries] = {}
    for row in rows:
        entries = found.setdefault(row["position"] - 1, _Entries(row["jurisdiction"]))
        if row["field"] is not None:  # the newest comes last
            entries.ciphertexts[VaultField(row["field"])] = (row["key_id"], row["ciphertext"])
    unknown = [index for index in range(len(request.persons)) if index not in found]
    if unknown:
        errors = [FieldError(field=f"persons.{index}", message="没有此人。Not a person of this case.")
                  for index in unknown]
        raise Problem(404, "person_unknown", f"Not in the vault: persons.{unknown[0]}. Nothing was sealed; ask only "
                      "for persons of the case.", errors)
    return [found[index] for index in range(len(request.persons))]


async def _record_reads(tx: Transaction, caller: Caller, request: Seal, found: Sequence[_Entries]) -> None:
    await bulk_insert(tx, {VaultAccessRow: [
        {
            "accessed_at": tx.clock.now, "caller": caller.subject, "purpose": request.purpose.value,
            "recipient": request.recipient, "case_id": person.case_id, "person_id": person.person_id,
            "jurisdiction": entries.jurisdiction, "fields": ",".join(sorted(entries.ciphertexts)),
        }
        for person, entries in zip(request.persons, found, strict=True)
    ]})


def _seal_all(vault: Vault, recipients: RecipientKeys, request: Seal, found: Sequence[_Entries]) -> list[Sealed]:
    agreement = recipients.agree(request.recipient)
    return [
        _seal(vault, agreement, request, person, entries)
        for person, entries in zip(request.persons, found, strict=True)
    ]


def _seal(
    vault: Vault, agreement: Agreement, request: Seal, person: SealRequest, entries: _Entries
) -> Sealed:
    content = {
        name.value: _decrypt(vault, person.case_id, person.person_id, name, *stored)
        for name, stored in entries.ciphertexts.items()
    }
    return Sealed(
        person_id=person.person_id, case_id=person.case_id,
        jwe=agreement.encrypt(orjson.dumps(content)),
        missing=[name for name in request.fields if name not in entries.ciphertexts],
    )


def _decrypt(
    vault: Vault, case_id: UUID, person_id: UUID, name: VaultField, key_id: str, ciphertext: bytes
) -> str:
    return vault.decrypt(case_id, person_id, KeptField(name.value), key_id, ciphertext)
