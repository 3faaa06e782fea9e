"""The officers' task list: a read model, ordered by legal deadline. Acting goes through the owning service."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from contracts.envelope import new_id
from contracts.http.casework import Task, TaskKind
from services.coordination import bulk
from services.coordination.effects import NewTask
from services.runtime.database import Transaction

TASKS_MAX: Final = 1000


@dataclass(frozen=True)
class OpenTask:
    """A task to open for an item of a case."""

    case_id: UUID
    item_id: UUID
    task: NewTask


async def open_tasks(tx: Transaction, opening: Sequence[OpenTask]) -> None:
    """Open tasks; one that is there already takes over what is wanted, and is open again if it was closed."""
    rows = [
        {
            "task_id": new_id(), "kind": new.task.kind, "case_id": new.case_id, "item_id": new.item_id,
            "jurisdiction": new.task.place, "reference_id": new.task.reference_id, "opens_on": new.task.opens_on,
            "wanted": list(new.task.wanted), "created_at": tx.clock.now,
        }
        for new in opening
    ]
    if not rows:
        return
    await tx.driver.execute(
        "insert into coordination.tasks (task_id, kind, case_id, item_id, jurisdiction, reference_id, opens_on, "
        "wanted, created_at) select task_id, kind, case_id, item_id, jurisdiction, reference_id, opens_on, wanted, "
        "created_at from json_populate_recordset(null::coordination.tasks, $1::json) "
        "on conflict (kind, item_id, reference_id) do update set opens_on = excluded.opens_on, "
        "wanted = excluded.wanted, jurisdiction = excluded.jurisdiction, closed_at = null",
        bulk.as_json(rows),
    )


async def close_tasks(tx: Transaction, closing: Sequence[tuple[UUID, TaskKind]]) -> None:
    """Close the open tasks of these kinds of these items."""
    if closing:
        await tx.driver.execute(
            "update coordination.tasks as t set closed_at = $3 "
            "from unnest($1::uuid[], $2::text[]) as c (item_id, kind) "
            "where t.item_id = c.item_id and t.kind = c.kind and t.closed_at is null",
            [item_id for item_id, _ in closing], [str(kind) for _, kind in closing], tx.clock.now,
        )


OPEN_TASKS_SQL: Final = """
select t.task_id, t.kind, t.case_id, t.item_id, coalesce(i.benefit, r.benefit) as benefit, t.jurisdiction,
       t.reference_id, t.opens_on, t.wanted, t.created_at, d.due_at
from coordination.tasks t
left join coordination.items i using (item_id)
left join coordination.referrals r using (item_id)
left join lateral (
    select min(due_at) as due_at from coordination.deadlines
    where case_id = t.case_id and met_at is null
      -- one visit serves every item of the household that the same place has to investigate
      and (item_id = t.item_id or t.kind = 'visit' and owner like t.jurisdiction || '%')
      and case t.kind when 'visit' then kind = 'investigate' when 'chase_referral' then kind = 'answer_referral'
          else kind in ('decide', 'decide_promised') end
) d on true
where t.closed_at is null and t.jurisdiction like $1 || '%' and ($2::text is null or t.kind = $2)
  and ($3::uuid is null or t.case_id = $3)
  and coalesce(i.benefit, r.benefit) is not null  -- the item itself has yet to be heard of
  and (i.confirmed_at is null and i.withdrawn_at is null or t.kind = 'visit' and d.due_at is not null)
  and r.answer is null
order by d.due_at nulls last, t.created_at, t.task_id
limit $4
"""


async def open_tasks_of(
    tx: Transaction, *, jurisdiction: str = "", kind: TaskKind | None = None, case_id: UUID | None = None
) -> list[Task]:
    """Open tasks of a place and all it covers, the most urgent first; items that ended ask for nothing.

    At most one more than TASKS_MAX, which says that there are more.
    """
    rows: list[Any] = await tx.driver.fetch(OPEN_TASKS_SQL, jurisdiction, kind, case_id, TASKS_MAX + 1)
    return [Task.model_validate(dict(row)) for row in rows]
