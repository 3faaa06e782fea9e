"""What is told about items, decisions, notices and awards to those who ask."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from pydantic import Field
from sqlalchemy import Text, column, exists, func, select
from sqlmodel import col

from contracts.benefits import Benefit
from contracts.http.casework import DecisionView
from contracts.http.message import Answer
from services.approval import rules
from services.approval.models import AwardRow, DecisionRow, EvidenceRow, ItemRow, NoticeRow, NoticeState
from services.approval.stored import decision_not_found, item_not_found
from services.runtime.database import Transaction

NOTICES_MAX = 500


class NoticeView(Answer):
    """A public notice, as anyone may read it: nothing more is shown."""

    masked_name: str
    household_size: int
    amount_fen: int
    amount_yuan: str
    area: str = Field(description="The place asked for in which it is posted.")
    ends_on: date


class NoticeList(Answer):
    """`GET /notices?jurisdiction=`"""

    notices: list[NoticeView]
    more: bool = Field(description="True where not all are shown: ask for a smaller place.")


class ItemView(Answer):
    """Where an item stands with approval, as officers see it."""

    item_id: UUID
    case_id: UUID
    benefit: Benefit
    owner: str
    epoch: int
    state: str
    waits_on: str | None
    missing: list[str]
    decisions: list[DecisionView]


class CaseView(Answer):
    """Approval's part of a case."""

    case_id: UUID
    items: list[ItemView]
    notices: list[dict[str, Any]]
    awards: list[dict[str, Any]]
    evidence: list[dict[str, Any]]


def decision_view(row: DecisionRow) -> DecisionView:
    """A decision with all that it rests on."""
    return DecisionView.model_validate({
        **row.model_dump(include=set(DecisionView.model_fields) - {"explanation"}),
        "explanation": {
            **row.explanation, "rulebook_version": row.rulebook_version, "rule_date": row.rule_date.isoformat(),
            "level": row.level, "confirmed_by": row.confirmed_by, "small_sum": row.small_sum, "cause": row.cause,
        },
    })


async def read_decision(tx: Transaction, decision_id: UUID) -> DecisionView:
    """One decision. Raises Problem 404."""
    row = await tx.session.get(DecisionRow, decision_id)
    if row is None:
        raise decision_not_found(decision_id)
    return decision_view(row)


async def read_item(tx: Transaction, item_id: UUID) -> ItemView:
    """One item with every decision ever made about it, the newest last. Raises Problem 404."""
    row = await tx.session.get(ItemRow, item_id)
    if row is None:
        raise item_not_found(item_id)
    decisions = await tx.session.scalars(
        select(DecisionRow).where(col(DecisionRow.item_id) == item_id).order_by(col(DecisionRow.decision_id))
    )
    return _item_view(row, list(decisions))


async def read_case(tx: Transaction, case_id: UUID) -> CaseView:
    """Approval's part of a case; empty lists where it has none in sight."""
    found: dict[type, list[Any]] = {}
    for table in (ItemRow, DecisionRow, NoticeRow, AwardRow, EvidenceRow):
        rows = await tx.session.scalars(select(table).where(col(table.case_id) == case_id))
        found[table] = list(rows)
    decisions: list[DecisionRow] = sorted(found[DecisionRow], key=lambda row: row.decision_id)
    return CaseView(
        case_id=case_id,
        items=[_item_view(row, [made for made in decisions if made.item_id == row.item_id])
               for row in found[ItemRow]],
        notices=[row.model_dump(mode="json") for row in found[NoticeRow]],
        awards=[row.model_dump(mode="json") for row in found[AwardRow]],
        evidence=[row.model_dump(mode="json") for row in found[EvidenceRow]],
    )


async def read_notices(tx: Transaction, jurisdiction: str) -> NoticeList:
    """The notices posted in a place today. After its last day a notice is gone, whoever has ended it or not."""
    areas = func.jsonb_array_elements_text(NoticeRow.areas).table_valued(column("value", Text))
    found = await tx.session.scalars(
        select(NoticeRow)
        .where(
            col(NoticeRow.state) == NoticeState.OPEN,
            col(NoticeRow.ends_on) >= tx.clock.today,
            exists(select(1).select_from(areas).where(areas.c.value.startswith(jurisdiction))),
        )
        .order_by(col(NoticeRow.ends_on), col(NoticeRow.notice_id))
        .limit(NOTICES_MAX + 1)
    )
    rows = found.all()
    shown = [
        NoticeView(
            masked_name=row.masked_name, household_size=row.household_size, amount_fen=row.amount_fen,
            amount_yuan=rules.yuan(row.amount_fen), ends_on=row.ends_on,
            area=next(area for area in row.areas if area.startswith(jurisdiction)),
        )
        for row in rows[:NOTICES_MAX]
    ]
    return NoticeList(notices=shown, more=len(rows) > NOTICES_MAX)


def _item_view(row: ItemRow, decisions: list[DecisionRow]) -> ItemView:
    return ItemView(
        item_id=row.item_id, case_id=row.case_id, benefit=Benefit(row.benefit), owner=row.jurisdiction,
        epoch=row.epoch, state=row.state, waits_on=row.waits_on, missing=row.missing,
        decisions=[decision_view(decision) for decision in decisions],
    )
