"""The check of the fourth promise: per case and topic, events lie in the order in which they were recorded."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

import pytest

from contracts.envelope import new_id
from deploy.invariants.checks import _out_of_order
from deploy.invariants.live_data import LiveData
from deploy.local.topic_reader import TopicRecord

CASE = str(new_id())
FIRST, SECOND, THIRD = (new_id() for _ in range(3))


def lying(*ids: UUID, case_id: str = CASE, partition: int = 0) -> list[TopicRecord]:
    """Events of a case as they lie in a partition, one behind the other."""
    return [
        TopicRecord("relief.item.v1", partition, offset, case_id,
                    {"ce_type": "item.accepted.v1", "ce_id": str(event_id), "ce_caseid": case_id}, "{}")
        for offset, event_id in enumerate(ids)
    ]


def violations(records: list[TopicRecord]) -> list[str]:
    return _out_of_order(LiveData(cast(Any, None), records=records))


@pytest.mark.parametrize(("ids", "broken"), [
    ((FIRST, SECOND, THIRD), 0),
    ((FIRST, SECOND, FIRST, SECOND, THIRD), 0),
    ((FIRST, THIRD, SECOND), 1),
    ((SECOND, FIRST, SECOND), 1),
], ids=["in order", "delivered again", "out of order", "only the second delivery in order"])
def test_the_first_delivery_of_each_event_counts(ids: tuple[UUID, ...], broken: int) -> None:
    assert len(violations(lying(*ids))) == broken


def test_a_case_lies_in_one_partition_of_a_topic() -> None:
    assert len(violations([*lying(FIRST), *lying(SECOND, partition=1)])) == 1


def test_the_order_between_cases_is_nobodys_concern() -> None:
    assert violations([*lying(THIRD), *lying(FIRST, case_id=str(new_id()))]) == []
