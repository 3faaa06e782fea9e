"""A model of delivery: what was committed, per case in order. Hypothesis looks for a way to break it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Coroutine, Iterable
from typing import Any
from uuid import UUID, uuid4

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from services.runtime.outbox import shard_of
from services.runtime.relay import key_hash
from tests.services.runtime.service_under_test import PARTITIONS
from tests.services.runtime.spine_under_test import (
    EFFECTS_OF_A_CAUSE,
    ConsumerFate,
    RelayFate,
    Spine,
    cause_of,
)

CASES = 3
KINDS = 2
STEP_SECONDS = 60
CHANGES = st.lists(st.tuples(st.integers(0, CASES - 1), st.booleans()), min_size=1, max_size=4)
"""Which case, and whether something is caused (else something is caused by the last thing that was)."""


class Delivery(RuleBasedStateMachine):
    """Writers commit and fail, relays and consumers die; every committed event takes effect once, in order."""

    def __init__(self, spine: Spine, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._spine = spine
        self._loop = loop
        self._cases = [a_case(number) for number in range(CASES)]
        self._numbers = itertools.count(1)
        self._committed: dict[UUID, list[int]] = {case_id: [] for case_id in self._cases}
        self._do(spine.begin())

    @initialize(changes=CHANGES)
    def begin_with_news(self, changes: list[tuple[int, bool]]) -> None:
        """Something is on its way in every example: hypothesis leaves out rules at random, this one never."""
        self.commit(changes)
        self.publish(RelayFate.LIVES)

    @rule(changes=CHANGES)
    def commit(self, changes: list[tuple[int, bool]]) -> None:
        """A use case commits."""
        for case_id, number in (recorded := self._recorded(changes)):
            self._committed[case_id].append(number)
        self._do(self._spine.commit(recorded))

    @rule(changes=CHANGES)
    def roll_back(self, changes: list[tuple[int, bool]]) -> None:
        """A use case fails after it wrote its events."""
        self._do(self._spine.commit(self._recorded(changes), fails=True))

    @rule(fate=st.sampled_from(RelayFate))
    def publish(self, fate: RelayFate) -> None:
        """The relay works, or dies at it."""
        self._do(self._spine.publish(fate))

    @rule(most=st.integers(1, 6), fate=st.sampled_from(ConsumerFate), first=st.integers(0, KINDS * PARTITIONS - 1))
    def deliver(self, most: int, fate: ConsumerFate, first: int) -> None:
        """The consumer works, or dies at it; it may hear of effects before it hears of their causes."""
        self._do(self._spine.deliver(most, fate, first))

    @rule()
    def rewind(self) -> None:
        """The group rebalances."""
        self._do(self._spine.rewind())

    @rule()
    def release_due(self) -> None:
        """The loop of kept events looks."""
        self._do(self._spine.release_due())

    @invariant()
    def what_took_effect_was_committed_once_and_in_order(self) -> None:
        """At any moment: of each kind the beginning of what was committed, and no effect without its cause."""
        for case_id, numbers in self._do(self._spine.effects(self._cases)).items():
            committed = self._committed[case_id]
            for of_kind in (_causes, _effects):
                seen = of_kind(numbers)
                assert seen == of_kind(committed)[: len(seen)], f"{seen} of {of_kind(committed)} took effect"
            for place, number in enumerate(numbers):
                assert number > 0 or cause_of(number) in numbers[:place], f"{number} before its cause: {numbers}"

    def teardown(self) -> None:
        """In the end: everything that was committed."""
        self._do(self._spine.settle())
        for case_id, numbers in self._do(self._spine.effects(self._cases)).items():
            for of_kind in (_causes, _effects):
                seen, committed = of_kind(numbers), of_kind(self._committed[case_id])
                assert seen == committed, f"in the end {seen} of {committed} took effect"
        assert self._do(self._spine.world.rows("select 1 from {s}.kept_events")) == []
        assert self._do(self._spine.world.rows("select 1 from {s}.dead_letters")) == []

    def _recorded(self, changes: Iterable[tuple[int, bool]]) -> list[tuple[UUID, int]]:
        recorded: list[tuple[UUID, int]] = []
        for number_of_case, is_cause in changes:
            case_id = self._cases[number_of_case]
            earlier = [*self._committed[case_id], *(number for case, number in recorded if case == case_id)]
            causes = _causes(earlier)
            if is_cause or not causes:
                recorded.append((case_id, next(self._numbers)))
            else:
                recorded.append((case_id, -(causes[-1] * EFFECTS_OF_A_CAUSE + len(earlier))))
        return recorded

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(STEP_SECONDS)


async def explore(spine: Spine, *, examples: int, steps: int, shrink: bool = True) -> None:
    """Try so many sequences of steps, the same ones each time; raise what the shortest one that fails raises."""
    phases = [Phase.generate, *([Phase.shrink] if shrink else [])]
    how = settings(
        max_examples=examples, stateful_step_count=steps, deadline=None, database=None, derandomize=True,
        phases=phases, suppress_health_check=list(HealthCheck), report_multiple_bugs=False,
    )
    loop = asyncio.get_running_loop()
    await asyncio.to_thread(run_state_machine_as_test, lambda: Delivery(spine, loop), settings=how)


def a_case(number: int) -> UUID:
    """A new case that lies in the same partition and shard each time, so that what failed once fails again."""
    while True:
        case_id = uuid4()
        if (key_hash(str(case_id)) % PARTITIONS, shard_of(str(case_id))) == (number % PARTITIONS, number):
            return case_id


def _causes(numbers: Iterable[int]) -> list[int]:
    return [number for number in numbers if number > 0]


def _effects(numbers: Iterable[int]) -> list[int]:
    return [number for number in numbers if number < 0]
