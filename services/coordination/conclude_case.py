"""The closing notice: once per case, when every item has ended and every referral is answered."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from contracts.envelope import Subject
from contracts.events.case import CaseConcluded, ItemResult
from services.coordination import rules
from services.coordination.case_facts import cases_of, items_of, referrals_of
from services.coordination.timeline import tell_all
from services.runtime.database import Transaction


async def conclude_cases(tx: Transaction, case_ids: Collection[UUID]) -> None:
    """Close those of these locked cases whose last open matter has ended; each is closed once."""
    if not case_ids:
        return
    open_cases = [case for case in await cases_of(tx, case_ids) if case.concluded_at is None]
    if not open_cases:
        return
    open_ids = [case.case_id for case in open_cases]
    items = _by_case(await items_of(tx, open_ids))
    referrals = _by_case(await referrals_of(tx, open_ids))
    closed = [
        closing for case in open_cases
        if (closing := _closing(case, items.get(case.case_id, []), referrals.get(case.case_id, []))) is not None
    ]
    if not closed:
        return
    await tell_all(tx, [
        (CaseConcluded(concluded_at=tx.clock.now, results=each.results),
         Subject(case_id=each.case_id, jurisdiction=each.place))
        for each in closed
    ])
    await tx.driver.execute(
        "update coordination.cases c set concluded_at = $4, results = closed.results, jurisdiction = closed.place "
        "from unnest($1::uuid[], $2::jsonb[], $3::text[]) as closed (case_id, results, place) "
        "where c.case_id = closed.case_id",
        [each.case_id for each in closed],
        [orjson.dumps([result.model_dump(mode="json") for result in each.results]).decode() for each in closed],
        [each.place for each in closed],
        tx.clock.now,
    )


@dataclass(frozen=True, slots=True)
class _Closing:
    case_id: UUID
    place: str
    results: list[ItemResult]


def _closing(case: Any, items: Sequence[Any], referrals: Sequence[Any]) -> _Closing | None:
    """The closing notice of a case, placed where one of its items is decided; None while anything is open."""
    results = rules.conclusion(case.benefits_asked, items, referrals)
    if results is None:
        return None
    return _Closing(case.case_id, next((item.owner for item in items if item.owner), case.jurisdiction), results)


def _by_case(rows: Collection[Any]) -> dict[UUID, list[Any]]:
    grouped: dict[UUID, list[Any]] = {}
    for row in rows:
        grouped.setdefault(row.case_id, []).append(row)
    return grouped
