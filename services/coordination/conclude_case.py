"""The closing notice: when every item has ended and every referral is answered; once for the items it lists."""

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
    """Close those of these locked cases whose last open matter has ended.

    A case is closed once, and once more where an item came after its notice: that one lists them all.
    """
    ripe_ids = await _ripe(tx, case_ids)
    if not ripe_ids:
        return
    items = _by_case(await items_of(tx, ripe_ids))
    referrals = _by_case(await referrals_of(tx, ripe_ids))
    closed = [
        closing for case in await cases_of(tx, ripe_ids)
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


async def _ripe(tx: Transaction, case_ids: Collection[UUID]) -> list[UUID]:
    """Those worth a closer look. Most events leave an item undecided, and this is all that is read for them."""
    if not case_ids:
        return []
    # Hazard: not as `not exists`, for which Postgres would read the items of every case there is.
    rows = await tx.driver.fetch(
        "select case_id from coordination.cases c where case_id = any($1) and (concluded_at is null or exists ("
        "select from coordination.items i where i.case_id = c.case_id and "
        "not c.results @> jsonb_build_array(jsonb_build_object('item_id', i.item_id)))) and coalesce("
        "(select bool_and(coalesce(i.confirmed_at, i.withdrawn_at, i.not_accepted_at) is not null) "
        "from coordination.items i where i.case_id = c.case_id), c.benefits_asked <@ $2)",
        list(case_ids), list(rules.DECIDED_ELSEWHERE),
    )
    return [row["case_id"] for row in rows]


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
