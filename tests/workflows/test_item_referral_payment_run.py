"""The workflows as stories: reminders, lateness that ends nothing, notices, answers, pay days, leaps."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from contracts.benefits import Benefit, Department
from contracts.catalogue import APPROVAL, COORDINATION, DISBURSEMENT
from contracts.envelope import Subject, new_id
from contracts.events.decision import Outcome
from contracts.events.referral import ReferralAnswer
from contracts.processes import (
    WORKFLOW_QUEUE,
    Activity,
    DecisionConfirmedSignal,
    DecisionProposedSignal,
    EvidenceMissingSignal,
    ItemStarted,
    ItemWithdrawnSignal,
    Leap,
    PaymentRunStarted,
    ReferralAnsweredSignal,
    ReferralStarted,
    RunPayments,
    SearchAttribute,
    Signal,
    Stage,
    WorkflowName,
)
from tests.workflows.fake_services import DAY, DECIDE_WITHIN, FakeServices
from tests.workflows.histories import keep
from workflows.item import ItemWorkflow
from workflows.payment_run import PaymentRunWorkflow
from workflows.referral import ReferralWorkflow
from workflows.worker import FAILS_THE_WORKFLOW, sandbox

BINARIES = Path(sys.executable).parent
POLLS_MAX = 400
ATTRIBUTES = {
    SearchAttribute.STAGE: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    SearchAttribute.JURISDICTION: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    SearchAttribute.OWNER: IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    SearchAttribute.DUE_AT: IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
    SearchAttribute.OVERDUE: IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
}
EVERY_WAKE = ["investigate 50", "investigate 80", "investigate 100", "decide 50", "decide 80", "decide 100"]


class World:
    """A Temporal server with our workers, and services that only remember."""

    def __init__(self, client: Client, services: FakeServices) -> None:
        self.client = client
        self.services = services
        self.started: list[WorkflowHandle[Any, Any]] = []

    async def start(self, name: WorkflowName, start: Any) -> WorkflowHandle[Any, Any]:
        handle = await self.client.start_workflow(name, start, id=f"{name}-{uuid4()}", task_queue=WORKFLOW_QUEUE)
        self.started.append(handle)
        return handle

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        for _ in range(POLLS_MAX):
            if condition():
                return
            await asyncio.sleep(0.02)
        pytest.fail(f"{what}; asked so far: {self.services.names()}")


@asynccontextmanager
async def working(client: Client, services: FakeServices) -> AsyncIterator[World]:
    async with AsyncExitStack() as workers:
        await workers.enter_async_context(Worker(
            client, task_queue=WORKFLOW_QUEUE, workflows=[ItemWorkflow, ReferralWorkflow, PaymentRunWorkflow],
            activities=[services.read_clock], workflow_runner=sandbox(),
            workflow_failure_exception_types=FAILS_THE_WORKFLOW,
        ))
        for queue in (COORDINATION, APPROVAL, DISBURSEMENT):
            await workers.enter_async_context(Worker(client, task_queue=queue, activities=services.activities))
        yield World(client, services)


@pytest.fixture
async def skipping() -> AsyncIterator[WorkflowEnvironment]:
    """A server whose machine time skips whatever nobody waits for."""
    environment = await WorkflowEnvironment.start_time_skipping(
        data_converter=pydantic_data_converter, test_server_existing_path=str(BINARIES / "temporal-test-server")
    )
    async with environment:
        await environment.client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace="default", search_attributes=ATTRIBUTES)
        )
        yield environment


@pytest.fixture
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """The real server, its machine time running 1:1."""
    arguments = [part for name, kind in (("Stage", "Keyword"), ("Jurisdiction", "Keyword"), ("Owner", "Keyword"),
                                         ("DueAt", "Datetime"), ("Overdue", "Bool"))
                 for part in ("--search-attribute", f"Onething{name}={kind}")]
    environment = await WorkflowEnvironment.start_local(
        data_converter=pydantic_data_converter, dev_server_existing_path=str(BINARIES / "temporal"),
        dev_server_extra_args=arguments,
    )
    async with environment, working(environment.client, FakeServices(lambda: datetime.now(UTC))) as world:
        yield world
        if request.config.getoption("--record-histories"):
            await keep(world.client, world.started, request.node.name)


def an_item(accepted_at: datetime, leap: Leap | None = None) -> ItemStarted:
    subject = Subject(case_id=new_id(), item_id=new_id(), jurisdiction="500116108", owner="500116108", epoch=1)
    return ItemStarted(subject=subject, benefit=Benefit.DIBAO, accepted_at=accepted_at, leap=leap or Leap())


def proposed(decision_id: Any, ends_at: datetime | None, outcome: Outcome = Outcome.GRANT,
             leap: Leap | None = None) -> DecisionProposedSignal:
    return DecisionProposedSignal(event_id=new_id(), decision_id=decision_id, outcome=outcome,
                                  notice_ends_at=ends_at, leap=leap or Leap())


def confirmed(outcome: Outcome = Outcome.GRANT) -> DecisionConfirmedSignal:
    return DecisionConfirmedSignal(event_id=new_id(), decision_id=new_id(), outcome=outcome,
                                   first_month=date(2025, 2, 1), leap=Leap())


async def test_every_reminder_and_every_lateness_comes_once_and_the_wait_goes_on(skipping: WorkflowEnvironment):
    start_at = await skipping.get_current_time()
    late = start_at + DECIDE_WITHIN + DAY
    async with working(skipping.client, FakeServices(lambda: late)) as world:
        handle = await world.start(WorkflowName.ITEM, an_item(start_at))
        await skipping.sleep(DECIDE_WITHIN + DAY)
        await world.until(lambda: len(world.services.asked) == 7, "not every wake was acted on")
        assert world.services.names() == [Activity.RECORD_ITEM_WAITS, *EVERY_WAKE]
        overdue = (await handle.describe()).search_attributes[SearchAttribute.OVERDUE]
        assert list(overdue) == [True]
        await handle.signal(Signal.DECISION_CONFIRMED, confirmed())
        assert await handle.result() == Stage.GRANTED
        assert world.services.names()[-1] == Activity.OFFER_REFERRALS


async def test_a_leap_past_several_moments_wakes_each_in_order(world: World):
    handle = await world.start(WorkflowName.ITEM, an_item(world.services.legal_now()))
    await world.until(lambda: len(world.services.asked) == 1, "the waits were not recorded")
    await handle.signal(Signal.CLOCK_MOVED, world.services.leap_by(11 * DAY))
    await world.until(lambda: len(world.services.asked) == 5, "a wake was missed")
    await handle.signal(Signal.CLOCK_MOVED, world.services.leap_by(11 * DAY))
    await world.until(lambda: len(world.services.asked) == 7, "a wake was missed")
    assert world.services.names()[1:] == EVERY_WAKE
    await handle.signal(Signal.ITEM_WITHDRAWN, ItemWithdrawnSignal(event_id=new_id(), leap=Leap()))
    assert await handle.result() == Stage.WITHDRAWN


async def test_a_start_sent_before_a_leap_takes_the_clock_from_the_recorded_waits(world: World):
    accepted_at = world.services.legal_now()
    world.services.leap_by(2 * DAY)
    await world.start(WorkflowName.ITEM, an_item(accepted_at, leap=Leap()))
    await world.until(lambda: "investigate 50" in world.services.names(), "the stale start slept on")


@pytest.mark.parametrize("notice_first", [True, False])
async def test_a_notice_is_ended_when_its_days_are_over_and_then_an_officer_confirms(
    world: World, notice_first: bool
):
    start, decision = an_item(world.services.legal_now()), new_id()
    handle = await world.start(WorkflowName.ITEM, start)
    signals = [proposed(decision, None), proposed(decision, world.services.legal_now() + 8 * DAY)]
    for signal in reversed(signals) if notice_first else signals:
        await handle.signal(Signal.DECISION_PROPOSED, signal)
        await handle.signal(Signal.DECISION_PROPOSED, signal)
    await world.until(lambda: Activity.RECORD_NOTICE_WAIT in world.services.names(), "no notice was recorded")
    await handle.signal(Signal.CLOCK_MOVED, world.services.leap_by(9 * DAY))
    await world.until(lambda: "notice_end 100" in world.services.names(), "the notice did not end")
    asked = world.services.names()
    assert asked.count(Activity.RECORD_NOTICE_WAIT) == asked.count(Activity.END_PUBLIC_NOTICE) == 1
    # Until the wake is acted on legal time holds still, so the notice is ended first.
    assert asked.index(Activity.END_PUBLIC_NOTICE) < asked.index("notice_end 100")
    await handle.signal(Signal.DECISION_CONFIRMED, confirmed())
    assert await handle.result() == Stage.GRANTED


async def test_a_refusal_waits_for_no_notice_and_opens_nothing_elsewhere(world: World):
    handle = await world.start(WorkflowName.ITEM, an_item(world.services.legal_now()))
    await handle.signal(Signal.DECISION_PROPOSED, proposed(new_id(), None, Outcome.REFUSE))
    await handle.signal(Signal.DECISION_CONFIRMED, confirmed(Outcome.REFUSE))
    assert await handle.result() == Stage.REFUSED
    assert not {Activity.RECORD_NOTICE_WAIT, Activity.OFFER_REFERRALS} & set(world.services.names())


async def test_a_proposal_that_takes_the_place_of_another_gets_its_own_notice(world: World):
    handle = await world.start(WorkflowName.ITEM, an_item(world.services.legal_now()))
    for decision in (new_id(), new_id()):
        await handle.signal(Signal.DECISION_PROPOSED, proposed(decision, world.services.legal_now() + 8 * DAY))
        wanted = world.services.names().count(Activity.RECORD_NOTICE_WAIT) + 1
        await world.until(lambda wanted=wanted: world.services.names().count(Activity.RECORD_NOTICE_WAIT) >= wanted,
                          "a notice was not recorded")
    assert world.services.names().count(Activity.RECORD_NOTICE_WAIT) == 2


async def test_a_proposal_that_became_void_is_waited_for_anew(world: World):
    handle = await world.start(WorkflowName.ITEM, an_item(world.services.legal_now()))
    await handle.signal(Signal.DECISION_PROPOSED, proposed(new_id(), world.services.legal_now() + 8 * DAY))
    await world.until(lambda: Activity.RECORD_NOTICE_WAIT in world.services.names(), "no notice was recorded")
    await handle.signal(Signal.EVIDENCE_MISSING, EvidenceMissingSignal(event_id=new_id(), leap=Leap()))
    await handle.signal(Signal.CLOCK_MOVED, world.services.leap_by(9 * DAY))
    await world.until(lambda: "notice_end 100" in world.services.names(), "the wake was forgotten")
    stage = (await handle.describe()).search_attributes[SearchAttribute.STAGE]
    assert list(stage) == [Stage.INVESTIGATING]
    await handle.signal(Signal.DECISION_PROPOSED, proposed(new_id(), None, Outcome.REFUSE))
    await handle.signal(Signal.DECISION_CONFIRMED, confirmed(Outcome.REFUSE))
    assert await handle.result() == Stage.REFUSED


async def test_a_notice_that_approval_will_not_end_leaves_the_item_with_its_officer(world: World):
    world.services.refuses = {Activity.END_PUBLIC_NOTICE}
    handle = await world.start(WorkflowName.ITEM, an_item(world.services.legal_now()))
    await handle.signal(Signal.DECISION_PROPOSED, proposed(new_id(), world.services.legal_now() + 8 * DAY))
    await world.until(lambda: Activity.RECORD_NOTICE_WAIT in world.services.names(), "no notice was recorded")
    await handle.signal(Signal.CLOCK_MOVED, world.services.leap_by(9 * DAY))
    await world.until(lambda: "notice_end 100" in world.services.names(), "the item did not go on waiting")
    assert world.services.names().count(Activity.END_PUBLIC_NOTICE) == 1
    await handle.signal(Signal.DECISION_CONFIRMED, confirmed())
    assert await handle.result() == Stage.GRANTED


async def test_what_a_service_refuses_waits_until_an_operator_has_mended_it(world: World):
    world.services.refuses = {Activity.OFFER_REFERRALS}
    handle = await world.start(WorkflowName.ITEM, an_item(world.services.legal_now()))
    await handle.signal(Signal.DECISION_CONFIRMED, confirmed())
    await world.until(lambda: Activity.OFFER_REFERRALS in world.services.names(), "nothing was offered")
    world.services.refuses.clear()
    await handle.signal(Signal.ASK_AGAIN)
    assert await handle.result() == Stage.GRANTED
    assert world.services.names().count(Activity.OFFER_REFERRALS) == 2


async def test_a_silent_department_is_late_and_still_waited_for(world: World):
    subject = Subject(case_id=new_id(), item_id=new_id(), jurisdiction="500116108", owner="500116108", epoch=1)
    start = ReferralStarted(subject=subject, department=Department.ELECTRICITY, benefit=Benefit.ELECTRICITY_WAIVER,
                            answer_by=world.services.legal_now() + 10 * DAY, leap=Leap())
    handle = await world.start(WorkflowName.REFERRAL, start)
    await handle.signal(Signal.REFERRAL_ANSWERED, ReferralAnsweredSignal(
        event_id=new_id(), answer=ReferralAnswer.RECEIVED, leap=Leap()))
    await world.until(lambda: len(world.services.asked) == 1, "the wait was not recorded")
    await handle.signal(Signal.CLOCK_MOVED, world.services.leap_by(11 * DAY))
    await world.until(lambda: len(world.services.asked) == 4, "a wake was missed")
    assert world.services.names()[1:] == ["answer_referral 50", "answer_referral 80", "answer_referral 100"]
    await handle.signal(Signal.REFERRAL_ANSWERED, ReferralAnsweredSignal(
        event_id=new_id(), answer=ReferralAnswer.GRANTED, leap=Leap()))
    assert await handle.result() == ReferralAnswer.GRANTED


async def test_a_place_pays_on_each_pay_day_and_waits_for_the_next(world: World):
    after = world.services.legal_now().date()
    start = PaymentRunStarted(place="500116", after=after, leap=Leap())
    handle = await world.start(WorkflowName.PAYMENT_RUN, start)
    await world.until(lambda: len(world.services.asked) == 1, "the pay day was not recorded")
    for month in (1, 2):
        await handle.signal(Signal.CLOCK_MOVED, world.services.leap_by(30 * DAY + timedelta(hours=1)))
        await world.until(lambda month=month: len(world.services.asked) == 3 * month + 1, "the run did not go on")
    assert world.services.names() == [
        *[Activity.RECORD_PAYMENT_WAIT, Activity.RUN_PAYMENTS, "pay 100"] * 2, Activity.RECORD_PAYMENT_WAIT
    ]
    paid = [what.period for _, what in world.services.asked if isinstance(what, RunPayments)]
    assert paid == [(after + 30 * DAY).replace(day=1), (after + 60 * DAY).replace(day=1)]
