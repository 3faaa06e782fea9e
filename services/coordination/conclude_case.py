"""The closing notice: once per case, when every item has ended and every referral is answered."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

import orjson

from contracts.envelope import Subject
from contracts.events.case import CaseConcluded
from services.coordination import rules
from services.coordination.case_facts import cases_of, items_of, referrals_of
from services.coordination.timeline import tell
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
    for case in open_cases:
        of_case = items.get(case.case_id, [])
        results = rules.conclusion(case.benefits_asked, of_case, referrals.get(case.case_id, []))
        if results is None:
            continue
        place = next((item.owner for item in of_case if item.owner), case.jurisdiction)
        event = CaseConcluded(concluded_at=tx.clock.now, results=results)
        await tell(tx, event, Subject(case_id=case.case_id, jurisdiction=place))
        await tx.driver.execute(
            "update coordination.cases set concluded_at = $2, results = $3, jurisdiction = $4 where case_id = $1",
            case.case_id, tx.clock.now, orjson.dumps([result.model_dump(mode="json") for result in results]).decode(),
            place,
        )


def _by_case(rows: Collection[Any]) -> dict[UUID, list[Any]]:
    grouped: dict[UUID, list[Any]] = {}
    for row in rows:
        grouped.setdefault(row.case_id, []).append(row)
    return grouped
