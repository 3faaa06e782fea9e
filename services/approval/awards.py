"""Starting awards: what a confirmed grant gives, once per decision (待遇)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final
from uuid import UUID

from sqlmodel import SQLModel

from contracts.envelope import new_id
from contracts.events.award import AwardStarted
from contracts.events.decision import Period
from services.approval import rules
from services.approval.models import AwardRow
from services.approval.stored import subject_of
from services.runtime.bulk_insert import Rows, bulk_insert
from services.runtime.database import Transaction

NOTHING: Final[Mapping[type[SQLModel], Rows]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Grant:
    """A confirmed grant, whose award starts."""

    item: rules.Item
    decision_id: UUID
    amount_fen: int
    period: Period
    first_month: date


async def start_awards(
    tx: Transaction, grants: Sequence[Grant], *, beside: Mapping[type[SQLModel], Rows] = NOTHING
) -> None:
    """Write one award per grant and say so. The applicant is paid. A second award of a decision cannot be.

    `beside`: rows of other tables that are written in the same statement.
    """
    rows = [
        {
            "award_id": new_id(), "decision_id": grant.decision_id, "item_id": grant.item.item_id,
            "case_id": grant.item.case_id, "jurisdiction": grant.item.owner, "benefit": grant.item.benefit.value,
            "amount_fen": grant.amount_fen, "period": grant.period.value, "first_month": grant.first_month,
            "payee_person_id": grant.item.applicant_person_id, "household_size": grant.item.household_size,
            "started_at": tx.clock.now,
        }
        for grant in grants
    ]
    await bulk_insert(tx, {**beside, AwardRow: rows})
    for grant, row in zip(grants, rows, strict=True):
        tx.record(
            AwardStarted(
                award_id=row["award_id"], decision_id=grant.decision_id, benefit=grant.item.benefit,
                amount_fen=grant.amount_fen, period=grant.period, first_month=grant.first_month,
                payee_person_id=grant.item.applicant_person_id, household_size=grant.item.household_size,
            ),
            subject_of(grant.item),
        )
