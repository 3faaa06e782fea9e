"""Due moments on the place's calendar, each wake acted on once, and nothing that came too late passes silently."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts.benefits import Benefit, Department
from contracts.envelope import EventEnvelope, new_id
from contracts.events.deadline import DeadlineKind
from contracts.events.decision import Outcome
from contracts.events.referral import ReferralAnswer
from contracts.http.casework import AnswerReferral
from contracts.processes import (
    ItemStarted,
    Leap,
    NoticeWait,
    OfferReferrals,
    PaymentRunStarted,
    ReferralStarted,
    Waits,
    WakeDue,
    item_workflow_id,
)
from services.coordination.answer_referral import answer_referral
from services.coordination.follow_leaps import due_wakes, follow_leaps, next_wake
from services.coordination.offer_referrals import record_offers
from services.coordination.record_waits import (
    record_item_waits,
    record_notice_wait,
    record_payment_wait,
    record_referral_wait,
)
from services.coordination.wake_deadline import wake_deadline
from services.rulebook.terms import departments_of
from services.runtime.clock import start_of_legal_day
from tests.services.coordination.builders import BAISHA, DAY, JIANGJIN, MONDAY, SHANGHAI, Matter, noon
from tests.services.coordination.service_under_test import Coordination

SECOND = timedelta(seconds=1)


def started(accepted: EventEnvelope[Any]) -> ItemStarted:
    return ItemStarted(subject=accepted.subject, benefit=accepted.data.benefit,
                       accepted_at=accepted.data.accepted_at, leap=Leap())


async def an_item_waiting(
    coordination: Coordination, *, on: date = MONDAY
) -> tuple[Matter, UUID, EventEnvelope[Any], Waits]:
    matter, item = Matter(), new_id()
    accepted = matter.accepted(item, on=on)
    await coordination.at(noon(on)).receive(matter.submitted(), accepted)
    return matter, item, accepted, await coordination.do(record_item_waits, started(accepted))


async def deadlines(coordination: Coordination, matter: Matter) -> dict[str, tuple[str, bool]]:
    rows = await coordination.rows("select kind, state, met_at from coordination.deadlines where case_id = $1",
                                   matter.case_id)
    return {row["kind"]: (row["state"], row["met_at"] is not None) for row in rows}


async def wake_all(coordination: Coordination, accepted: EventEnvelope[Any], waits: Waits) -> None:
    for wake in waits.wakes:
        await coordination.at(wake.wake_at).do(wake_deadline, WakeDue(subject=accepted.subject, wake=wake))


async def test_an_item_accepted_before_spring_festival_is_due_by_working_days_with_make_up_days(
    coordination: Coordination,
):
    _, _, _, waits = await an_item_waiting(coordination)
    due = {wake.kind: wake.wake_at.astimezone(SHANGHAI) for wake in waits.wakes if wake.elapsed_percent == 100}
    # 28 January to 4 February off, 26 January and 8 February worked (国办发明电〔2024〕12号).
    assert due == {
        DeadlineKind.INVESTIGATE: datetime(2025, 1, 10, tzinfo=SHANGHAI),
        DeadlineKind.DECIDE_PROMISED: datetime(2025, 1, 22, tzinfo=SHANGHAI),
        DeadlineKind.DECIDE: datetime(2025, 2, 9, tzinfo=SHANGHAI),
    }


async def test_reminders_come_at_half_and_four_fifths_of_the_span_in_order(coordination: Coordination):
    _, _, _, waits = await an_item_waiting(coordination)
    investigate = [(wake.elapsed_percent, wake.wake_at.astimezone(SHANGHAI)) for wake in waits.wakes
                   if wake.kind is DeadlineKind.INVESTIGATE]
    assert investigate == [
        (50, datetime(2025, 1, 8, 6, tzinfo=SHANGHAI)),
        (80, datetime(2025, 1, 9, 7, 12, tzinfo=SHANGHAI)),
        (100, datetime(2025, 1, 10, tzinfo=SHANGHAI)),
    ]
    assert [wake.wake_at for wake in waits.wakes] == sorted(wake.wake_at for wake in waits.wakes)


async def test_recording_a_wait_again_changes_nothing(coordination: Coordination):
    _, _, accepted, waits = await an_item_waiting(coordination)
    assert await coordination.do(record_item_waits, started(accepted)) == waits


async def test_each_wake_is_acted_on_once_and_the_deadline_passes_once(coordination: Coordination):
    matter, _, accepted, waits = await an_item_waiting(coordination)
    await wake_all(coordination, accepted, waits)
    await wake_all(coordination, accepted, waits)
    told = await coordination.events_of(matter.case_id)
    assert told.count("deadline.approaching") == 6
    assert told.count("deadline.passed") == 3
    assert await deadlines(coordination, matter) == dict.fromkeys(("investigate", "decide_promised", "decide"),
                                                                  ("passed", False))


async def test_a_passed_deadline_is_told_to_the_county(coordination: Coordination):
    matter, _, accepted, waits = await an_item_waiting(coordination)
    await wake_all(coordination, accepted, waits)
    [row, *_] = await coordination.rows("select convert_from(value, 'utf8') as value from coordination.outbox "
                                        "where key = $1 and headers->>'ce_type' = 'deadline.passed.v1'",
                                        str(matter.case_id))
    assert f'"escalated_to":"{JIANGJIN}"' in row["value"]
    assert f'"waits_on":"officer:{BAISHA}"' in row["value"]


async def test_no_wake_says_anything_once_the_deadline_is_met(coordination: Coordination):
    matter, item, accepted, waits = await an_item_waiting(coordination)
    await coordination.receive(matter.visit_reported(item, new_id()),
                               matter.confirmed(item, new_id(), outcome=Outcome.REFUSE, on=MONDAY + 2 * DAY))
    await wake_all(coordination, accepted, waits)
    assert not {"deadline.approaching", "deadline.passed"} & set(await coordination.events_of(matter.case_id))


@pytest.mark.parametrize(("visited_on", "state"), [(date(2025, 1, 9), "met"), (date(2025, 1, 10), "passed")])
@pytest.mark.parametrize("recorded_first", [True, False])
async def test_a_visit_counts_by_its_legal_date_and_not_by_when_we_heard_of_it(
    coordination: Coordination, visited_on: date, state: str, recorded_first: bool
):
    matter, item, visit = Matter(), new_id(), new_id()
    accepted, reported = matter.accepted(item), matter.visit_reported(item, visit, on=visited_on)
    await coordination.at(noon(date(2025, 1, 15))).receive(matter.submitted(), accepted)
    if recorded_first:
        await coordination.do(record_item_waits, started(accepted))
        await coordination.receive(reported)
    else:
        await coordination.receive(reported)
        await coordination.do(record_item_waits, started(accepted))
    assert (await deadlines(coordination, matter))["investigate"] == (state, True)
    assert (await coordination.events_of(matter.case_id)).count("deadline.passed") == (state == "passed")


async def test_a_withdrawn_item_owes_nothing_any_more(coordination: Coordination):
    matter, item, _, _ = await an_item_waiting(coordination)
    await coordination.receive(matter.withdrawn(item))
    assert {state for state, _ in (await deadlines(coordination, matter)).values()} == {"met"}


async def test_the_end_of_a_notice_is_a_moment_and_never_late(coordination: Coordination):
    matter, item, accepted, _ = await an_item_waiting(coordination)
    decision = new_id()
    opened = matter.notice_opened(item, decision)
    await coordination.receive(matter.proposed(item, decision), opened)
    wait = NoticeWait(subject=accepted.subject, decision_id=decision, ends_at=opened.data.ends_at)
    waits = await coordination.do(record_notice_wait, wait)
    assert [(wake.elapsed_percent, wake.wake_at) for wake in waits.wakes] == [
        (100, datetime(2025, 1, 15, 16, tzinfo=UTC))
    ]
    await wake_all(coordination, accepted, waits)
    await coordination.receive(matter.notice_ended(item, decision, on=MONDAY + 20 * DAY))
    assert (await deadlines(coordination, matter))["notice_end"] == ("met", True)
    assert "deadline.passed" not in await coordination.events_of(matter.case_id)


async def test_a_superseded_notice_is_waited_for_no_more(coordination: Coordination):
    matter, item, accepted, _ = await an_item_waiting(coordination)
    first, second = new_id(), new_id()
    opened = matter.notice_opened(item, first)
    wait = NoticeWait(subject=accepted.subject, decision_id=first, ends_at=opened.data.ends_at)
    await coordination.receive(matter.proposed(item, first), opened)
    await coordination.do(record_notice_wait, wait)
    await coordination.receive(matter.proposed(item, second, outcome=Outcome.REFUSE, on=MONDAY + 3 * DAY))
    assert (await deadlines(coordination, matter))["notice_end"] == ("met", True)
    assert (await coordination.do(record_notice_wait, wait)).wakes == []


async def test_a_silent_department_is_chased_until_it_answers(coordination: Coordination):
    matter, item, decision = Matter(), new_id(), new_id()
    accepted = matter.accepted(item, electricity_account=True)
    await coordination.at(noon(MONDAY)).receive(matter.submitted(), accepted, matter.confirmed(item, decision))
    [entry] = departments_of(Benefit.DIBAO, BAISHA, MONDAY)
    offer = OfferReferrals(subject=accepted.subject, benefit=Benefit.DIBAO, decision_id=decision, first_month=None)
    await coordination.do(record_offers, offer, [(entry, "jwe")])
    [referral] = await coordination.rows("select * from coordination.referrals where case_id = $1", matter.case_id)
    start = ReferralStarted(subject=accepted.subject.model_copy(update={"item_id": referral["item_id"]}),
                            department=Department.ELECTRICITY, benefit=Benefit.ELECTRICITY_WAIVER,
                            answer_by=referral["answer_by"], leap=Leap())
    waits = await coordination.do(record_referral_wait, start)
    assert [wake.elapsed_percent for wake in waits.wakes] == [50, 80, 100]
    assert waits.wakes[-1].wake_at == start_of_legal_day(date(2025, 1, 17))
    for wake in waits.wakes:
        await coordination.at(wake.wake_at).do(wake_deadline, WakeDue(subject=start.subject, wake=wake))
    token = coordination.token("officer", JIANGJIN)
    listed = await coordination.http.get("/tasks", headers=token, params={"kind": "chase_referral"})
    mine = [task for task in listed.json()["tasks"] if task["case_id"] == str(matter.case_id)]
    assert [(task["reference_id"], task["benefit"]) for task in mine] == [
        (str(referral["item_id"]), "electricity_waiver")
    ]
    answer = AnswerReferral(answer=ReferralAnswer.GRANTED)
    await coordination.do(answer_referral, "electricity", referral["item_id"], answer)
    listed = await coordination.http.get("/tasks", headers=token, params={"kind": "chase_referral"})
    assert str(matter.case_id) not in listed.text
    assert (await deadlines(coordination, matter))["answer_referral"] == ("passed", True)


@pytest.mark.parametrize(("after", "pay_day"), [
    (date(2025, 1, 9), date(2025, 1, 10)),
    (date(2025, 1, 10), date(2025, 2, 10)),
    (date(2025, 12, 10), date(2026, 1, 10)),
])
async def test_the_next_run_waits_for_the_first_pay_day_after_a_date(
    coordination: Coordination, after: date, pay_day: date
):
    day = await coordination.do(record_payment_wait, PaymentRunStarted(place="500107", after=after, leap=Leap()))
    assert (day.pay_day, day.period) == (pay_day, pay_day.replace(day=1))
    assert day.wake.wake_at == start_of_legal_day(pay_day)
    again = await coordination.do(record_payment_wait, PaymentRunStarted(place="500107", after=after, leap=Leap()))
    assert again.wake == day.wake
    assert (await coordination.do(wake_deadline, WakeDue(subject=None, wake=day.wake))).overdue is False


async def test_a_leap_past_a_wake_tells_its_workflow_once_per_leap_and_holds_the_clock(coordination: Coordination):
    # Earlier than every other test's, so that its first wake is the next of all.
    matter, item, accepted, waits = await an_item_waiting(coordination, on=date(2024, 3, 4))
    first = waits.wakes[0].wake_at
    assert await coordination.do(next_wake) == first
    assert await due_wakes(coordination.at(first - SECOND).runtime) == 0
    coordination.at(first).database.leap_number = 1
    assert await due_wakes(coordination.runtime) == 1
    await follow_leaps(coordination.runtime)
    await follow_leaps(coordination.runtime)
    assert await coordination.signals_of(matter.case_id) == ["ItemWorkflow", "clock_moved"]
    [row] = await coordination.rows("select workflow_id from coordination.pending_signals "
                                    "where case_id = $1 and name = 'clock_moved'", matter.case_id)
    assert row["workflow_id"] == item_workflow_id(item)
    coordination.database.leap_number = 2
    await follow_leaps(coordination.runtime)
    assert await coordination.signals_of(matter.case_id) == ["ItemWorkflow", "clock_moved", "clock_moved"]
    await coordination.do(wake_deadline, WakeDue(subject=accepted.subject, wake=waits.wakes[0]))
    coordination.database.leap_number = 3
    await follow_leaps(coordination.runtime)
    assert (await coordination.signals_of(matter.case_id)).count("clock_moved") == 2
    assert await due_wakes(coordination.runtime) == 0


async def test_a_visit_before_an_item_was_accepted_is_not_its_investigation(coordination: Coordination):
    matter, first, second = Matter(), new_id(), new_id()
    later = matter.accepted(second, on=MONDAY + 10 * DAY)
    await coordination.at(noon(MONDAY)).receive(matter.accepted(first), matter.visit_reported(first, new_id()), later)
    waits = await coordination.do(record_item_waits, started(later))
    assert (await deadlines(coordination, matter))[DeadlineKind.INVESTIGATE] == ("open", False)
    assert DeadlineKind.INVESTIGATE in {wake.kind for wake in waits.wakes}, "or nobody notices that no one comes"
    await coordination.receive(matter.visit_reported(second, new_id(), on=MONDAY + 11 * DAY))
    assert (await deadlines(coordination, matter))[DeadlineKind.INVESTIGATE] == ("met", True)
