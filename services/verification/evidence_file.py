"""The file of evidence: append-only, each piece with its signer, time and digest."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from contracts.envelope import new_id
from contracts.facts import Fact
from services.runtime.database import Transaction
from services.verification import rules
from services.verification.models import Evidence, EvidenceKind

FACTS = TypeAdapter(list[Fact])


@dataclass(frozen=True)
class EvidenceOf:
    """A piece of evidence to be put on file."""

    case_id: UUID
    item_id: UUID | None
    jurisdiction: str
    kind: EvidenceKind
    signer: str
    content: dict[str, Any]
    facts: Sequence[Fact]


@dataclass(frozen=True)
class Filed:
    """What it got on file."""

    evidence_id: UUID
    sha256: str


async def file_evidence(tx: Transaction, pieces: Sequence[EvidenceOf]) -> list[Filed]:
    """Put pieces on file, each with the digest of all it says (content, facts, signer, legal time)."""
    if not pieces:
        return []
    rows = [_row(tx, piece) for piece in pieces]
    await tx.session.execute(insert(Evidence), rows)
    return [Filed(row["evidence_id"], row["sha256"]) for row in rows]


def _row(tx: Transaction, piece: EvidenceOf) -> dict[str, Any]:
    facts = FACTS.dump_python(list(piece.facts), mode="json")
    said = {"content": piece.content, "facts": facts, "signer": piece.signer,
            "recorded_at": tx.clock.now.isoformat()}
    return {
        "evidence_id": new_id(), "case_id": piece.case_id, "item_id": piece.item_id,
        "jurisdiction": piece.jurisdiction, "kind": piece.kind, "signer": piece.signer,
        "recorded_at": tx.clock.now, "sha256": rules.digest(said), "content": piece.content, "facts": facts,
    }


FactsOnFile = dict[UUID, list[tuple[UUID | None, list[Fact]]]]


async def facts_on_file(tx: Transaction, case_ids: Collection[UUID]) -> FactsOnFile:
    """Case → (item or None for all items, facts), in the order they were put on file."""
    rows = await tx.session.execute(
        select(col(Evidence.case_id), col(Evidence.item_id), col(Evidence.facts))
        .where(col(Evidence.case_id).in_(case_ids))
        .order_by(col(Evidence.recorded_at), col(Evidence.evidence_id))
    )
    on_file: FactsOnFile = {}
    for case_id, item_id, facts in rows:
        # Through JSON text: only there pydantic reads a date as a date where text is allowed as well.
        on_file.setdefault(case_id, []).append((item_id, FACTS.validate_json(json.dumps(facts))))
    return on_file
