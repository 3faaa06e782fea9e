"""Ids are UUIDv7 and keep the order of their making."""

from __future__ import annotations

from contracts.envelope import new_id


def test_ids_of_one_process_rise_and_never_repeat() -> None:
    ids = [new_id() for _ in range(20_000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert {(each.version, each.variant) for each in ids} == {(7, "specified in RFC 4122")}
