"""Evidence that neither grants nor refuses: what it voids, what it asks of officers, and who waits from then on."""

from __future__ import annotations

import json
from datetime import date
from itertools import permutations

import pytest

from contracts.benefits import Benefit
from contracts.envelope import new_id
from contracts.events.deadline import DeadlineKind
from contracts.processes import ItemStarted, Leap, NoticeWait, Stage
from services.coordination.case_view import view_case
from services.coordination.record_waits import record_item_waits, record_notice_wait
from services.runtime.clock import start_of_legal_day
from tests.services.coordination.builders import BAISHA, DAY, JIANGJIN, MONDAY, Matter, noon
from tests.services.coordination.service_under_test import Coordination

EMERGENCY = Benefit.TEMPORARY_ASSISTANCE


async def open_tasks(coordination: Coordination, matter: Matter) -> list[tuple[str, str, tuple[str, ...]]]:
    view = await coordination.do(view_case, matter.case_id)
    return sorted((task.kind, task.jurisdiction, tuple(task.wanted)) for task in view.tasks)


async def stage_of(coordination: Coordination, matter: Matter) -> Stage:
    return (await coordination.do(view_case, matter.case_id)).items[0].stage


async def test_it_voids_a_proposal_its_task_and_its_notice(coordination: Coordination):
    matter, item, decision = Matter(), new_id(), new_id()
    accepted = matter.accepted(item)
    await coordination.at(noon(MONDAY)).receive(accepted, matter.proposed(item, decision, on=MONDAY),
                                                matter.notice_opened(item, decision, on=MONDAY))
    await coordination.do(record_notice_wait, NoticeWait(
        subject=accepted.subject, decision_id=decision, ends_at=start_of_legal_day(MONDAY + 8 * DAY)))
    await coordination.receive(matter.evidence_missing(item, on=MONDAY + DAY))
    assert await open_tasks(coordination, matter) == [("give_finding", BAISHA, ("support_income_fen_month",))]
    assert await stage_of(coordination, matter) is Stage.INVESTIGATING
    [notice] = await coordination.rows("select state from coordination.deadlines where item_id = $1", item)
    assert notice["state"] == "met", "nobody waits for the end of a notice that was taken down"
    assert (await coordination.signals_of(matter.case_id))[-1] == "evidence_missing"


@pytest.mark.parametrize("order", [order for order in permutations(range(3)) if order.index(1) < order.index(2)],
                         ids=str)
async def test_a_late_acceptance_does_not_bring_the_void_proposal_back(
    coordination: Coordination, order: tuple[int, ...]
):
    matter, item = Matter(), new_id()
    events = [matter.accepted(item), matter.proposed(item, new_id(), on=MONDAY + DAY),
              matter.evidence_missing(item, on=MONDAY + 2 * DAY)]
    await coordination.receive(*(events[index] for index in order))
    assert [kind for kind, _, _ in await open_tasks(coordination, matter)] == ["give_finding"]
    assert await stage_of(coordination, matter) is Stage.INVESTIGATING


@pytest.mark.parametrize(("proposed_last", "stage", "notice"), [
    (False, Stage.INVESTIGATING, "met"), (True, Stage.IN_NOTICE, "open"),
])
async def test_of_two_words_of_one_moment_the_later_recorded_stands(
    coordination: Coordination, proposed_last: bool, stage: Stage, notice: str
):
    matter, item, decision = Matter(), new_id(), new_id()
    accepted = matter.accepted(item)
    missing = matter.evidence_missing(item, on=MONDAY) if proposed_last else None
    proposed = [matter.proposed(item, decision, on=MONDAY), matter.notice_opened(item, decision, on=MONDAY)]
    last = [] if missing else [matter.evidence_missing(item, on=MONDAY)]
    await coordination.at(noon(MONDAY)).receive(accepted, *([missing] if missing else []), *proposed, *last)
    await coordination.do(record_notice_wait, NoticeWait(
        subject=accepted.subject, decision_id=decision, ends_at=start_of_legal_day(MONDAY + 8 * DAY)))
    assert await stage_of(coordination, matter) is stage
    [deadline] = await coordination.rows("select state from coordination.deadlines where item_id = $1", item)
    assert deadline["state"] == notice


async def test_a_later_proposal_stands(coordination: Coordination):
    matter, item = Matter(), new_id()
    await coordination.receive(matter.accepted(item), matter.proposed(item, new_id(), on=MONDAY),
                               matter.evidence_missing(item, on=MONDAY + DAY),
                               matter.proposed(item, new_id(), on=MONDAY + 2 * DAY))
    assert [kind for kind, _, _ in await open_tasks(coordination, matter)] == ["confirm_decision"]
    assert await stage_of(coordination, matter) is Stage.PROPOSED


@pytest.mark.parametrize(("missing", "level", "tasks"), [
    (["serious_illness"], None, [("give_finding", BAISHA, ("serious_illness",))]),
    (["amount_fen"], "town", [("decide_small_sum", BAISHA, ())]),
    (["small_sum_within_cap"], "town", [("decide_small_sum", BAISHA, ())]),
    (["small_sum_signature"], "county", [("decide_small_sum", JIANGJIN, ())]),
    (["amount_fen", "serious_illness"], "county",
     [("decide_small_sum", JIANGJIN, ()), ("give_finding", JIANGJIN, ("serious_illness",))]),
])
async def test_facts_are_found_and_sums_are_signed(
    coordination: Coordination, missing: list[str], level: str | None, tasks: list[tuple[str, str, tuple[str, ...]]]
):
    matter, item = Matter(), new_id()
    await coordination.receive(matter.accepted(item, small_sum_fen=60000),
                               matter.evidence_missing(item, *missing, benefit=EMERGENCY, level=level))
    assert await open_tasks(coordination, matter) == tasks


async def test_what_waits_on_a_source_asks_nothing_of_officers(coordination: Coordination):
    matter, item = Matter(), new_id()
    await coordination.receive(matter.accepted(item), matter.evidence_missing(item, "alive", waits_on="source"))
    assert await open_tasks(coordination, matter) == []


@pytest.mark.parametrize("acceptance_first", [True, False])
async def test_a_small_sum_refused_at_once_waits_with_a_workflow_and_a_deadline(
    coordination: Coordination, acceptance_first: bool
):
    matter, item, march = Matter(), new_id(), date(2026, 3, 2)
    accepted = matter.accepted(item, small_sum_fen=90000, on=march)
    missing = matter.evidence_missing(item, "small_sum_within_cap", benefit=EMERGENCY, on=march)
    await coordination.at(noon(march)).receive(*([accepted, missing] if acceptance_first else [missing, accepted]))
    assert (await coordination.signals_of(matter.case_id))[0] == "ItemWorkflow"
    [row] = await coordination.rows("select message from coordination.pending_signals where name = 'ItemWorkflow' "
                                    "and case_id = $1", matter.case_id)
    start = ItemStarted.model_validate({**json.loads(row["message"]), "leap": Leap()})
    await coordination.do(record_item_waits, start)
    [deadline] = await coordination.rows("select kind, due_at from coordination.deadlines where item_id = $1", item)
    assert (deadline["kind"], deadline["due_at"]) == (DeadlineKind.DECIDE, start_of_legal_day(march + 4 * DAY))


async def test_an_item_decided_meanwhile_starts_no_workflow(coordination: Coordination):
    matter, item = Matter(), new_id()
    await coordination.receive(matter.evidence_missing(item, "small_sum_within_cap", benefit=EMERGENCY),
                               matter.confirmed(item, new_id(), small_sum=True),
                               matter.accepted(item, small_sum_fen=60000))
    assert "ItemWorkflow" not in await coordination.signals_of(matter.case_id)


async def test_an_emergency_before_there_were_small_sums_has_a_deadline_too(coordination: Coordination):
    matter, item = Matter(), new_id()
    accepted = matter.accepted(item, benefit=EMERGENCY)
    start = ItemStarted(subject=accepted.subject, benefit=EMERGENCY, accepted_at=noon(MONDAY), leap=Leap())
    await coordination.at(noon(MONDAY)).receive(accepted)
    waits = await coordination.do(record_item_waits, start)
    assert {wake.kind for wake in waits.wakes} == {DeadlineKind.DECIDE}
