"""What officers see of a case, what workflows are told, and what leaves the house."""

from __future__ import annotations

import json
from itertools import permutations

import pytest

from contracts import catalogue
from contracts.benefits import Benefit
from contracts.envelope import new_id
from contracts.events.decision import Outcome, Period
from contracts.events.referral import ReferralAnswer, ReferralOffered
from contracts.http.casework import TaskKind
from contracts.processes import ItemStarted, Leap, OfferReferrals, Stage
from services.coordination.case_view import view_case
from services.coordination.offer_referrals import record_offers
from services.coordination.record_waits import record_item_waits
from services.rulebook.terms import departments_of
from tests.services.coordination.builders import BAISHA, DAY, JIANGJIN, MONDAY, YUBEI_TOWN, Matter, noon
from tests.services.coordination.service_under_test import Coordination


async def stage_of(coordination: Coordination, matter: Matter) -> Stage:
    view = await coordination.do(view_case, matter.case_id)
    return view.items[0].stage


async def test_the_stage_follows_an_item_to_its_end(coordination: Coordination):
    matter, item, decision = Matter(), new_id(), new_id()
    steps = [
        (matter.supplement_requested(item), Stage.SUPPLEMENT),
        (matter.accepted(item), Stage.INVESTIGATING),
        (matter.proposed(item, decision), Stage.PROPOSED),
        (matter.notice_opened(item, decision), Stage.IN_NOTICE),
        (matter.notice_ended(item, decision), Stage.AWAITING_CONFIRMATION),
        (matter.confirmed(item, decision), Stage.GRANTED),
    ]
    seen = []
    for event, _ in steps:
        await coordination.receive(event)
        seen.append(await stage_of(coordination, matter))
    assert seen == [stage for _, stage in steps]


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
async def test_the_same_events_in_any_order_lead_to_the_same_stage(
    coordination: Coordination, order: tuple[int, ...]
):
    matter, item, decision = Matter(), new_id(), new_id()
    events = [matter.accepted(item), matter.proposed(item, decision), matter.notice_opened(item, decision)]
    await coordination.receive(*(events[index] for index in order))
    assert await stage_of(coordination, matter) is Stage.IN_NOTICE
    assert (await coordination.signals_of(matter.case_id))[0] == "ItemWorkflow", "a workflow is started first"
    assert sorted(await coordination.signals_of(matter.case_id)) == ["ItemWorkflow", *["decision_proposed"] * 2]


async def test_a_small_emergency_starts_no_workflow_and_is_told_to_none(coordination: Coordination):
    matter, item = Matter(), new_id()
    await coordination.receive(matter.accepted(item, small_sum_fen=63000),
                               matter.confirmed(item, new_id(), small_sum=True),
                               matter.award_started(item, period=Period.ONCE))
    assert await coordination.signals_of(matter.case_id) == []


async def test_the_first_monthly_award_of_a_county_starts_its_payment_run_once(coordination: Coordination):
    awards = []
    for town in ("500151001", "500151002"):
        matter = Matter(owner=town)
        awards.append(matter.award_started(new_id()))
    await coordination.at(noon(MONDAY)).receive(*awards)
    await coordination.receive(Matter(owner="500151003").award_started(new_id()))
    rows = await coordination.rows("select workflow_id, message->>'after' as after from coordination.pending_signals "
                                   "where name = 'PaymentRunWorkflow' and workflow_id like '%500151'")
    assert rows == [{"workflow_id": "payment-run-500151", "after": "2025-01-05"}]


async def test_the_task_list_follows_the_work(coordination: Coordination):
    matter, item, visit = Matter(), new_id(), new_id()
    first, second = new_id(), new_id()

    async def open_kinds() -> list[tuple[str, str]]:
        answer = await coordination.http.get("/tasks", headers=coordination.token("officer", JIANGJIN))
        return [(task["kind"], task["reference_id"]) for task in answer.json()["tasks"]
                if task["case_id"] == str(matter.case_id)]

    await coordination.receive(matter.visit_ordered(item, visit))
    assert await open_kinds() == [], "the item itself has yet to be heard of"
    await coordination.receive(matter.accepted(item))
    assert await open_kinds() == [("visit", str(visit))]
    await coordination.receive(matter.visit_reported(item, visit), matter.evidence_missing(item))
    assert await open_kinds() == [("give_finding", str(item))]
    await coordination.receive(matter.proposed(item, first))
    assert await open_kinds() == [("confirm_decision", str(first))]
    await coordination.receive(matter.proposed(item, second, outcome=Outcome.REFUSE, level="county"))
    assert await open_kinds() == [("confirm_decision", str(second))]
    await coordination.receive(matter.confirmed(item, second, outcome=Outcome.REFUSE))
    assert await open_kinds() == []


async def test_an_officer_sees_tasks_of_the_own_place_only(coordination: Coordination):
    matter, item = Matter(), new_id()
    await coordination.receive(matter.accepted(item), matter.visit_ordered(item, new_id(), by=YUBEI_TOWN))
    mine = await coordination.http.get("/tasks", headers=coordination.token("officer", YUBEI_TOWN))
    assert str(matter.case_id) in mine.text, "a visit for an item that another district decides"
    others = await coordination.http.get("/tasks", headers=coordination.token("officer", BAISHA),
                                         params={"jurisdiction": YUBEI_TOWN})
    assert (others.status_code, others.json()["code"]) == (403, "other_jurisdiction")


async def test_a_visit_is_asked_for_until_the_last_item_that_needs_it_has_ended(coordination: Coordination):
    matter, emergency, dibao, visit = Matter(), new_id(), new_id(), new_id()
    accepted = matter.accepted(dibao)

    async def visits() -> list[str]:
        view = await coordination.do(view_case, matter.case_id)
        return [str(task.reference_id) for task in view.tasks if task.kind == TaskKind.VISIT]

    await coordination.at(noon(MONDAY)).receive(
        matter.accepted(emergency, benefit=Benefit.TEMPORARY_ASSISTANCE),
        matter.visit_ordered(emergency, visit, by=JIANGJIN), accepted)
    await coordination.do(record_item_waits, ItemStarted(
        subject=accepted.subject, benefit=Benefit.DIBAO, accepted_at=noon(MONDAY), leap=Leap()))
    await coordination.receive(matter.confirmed(emergency, new_id(), small_sum=True, on=MONDAY))
    assert await visits() == [str(visit)], "ordered for the one that is decided, needed by the other"
    await coordination.receive(matter.withdrawn(dibao))
    assert await visits() == []


async def test_no_outside_party_sees_the_task_list(coordination: Coordination):
    for place in (None, BAISHA):
        answer = await coordination.http.get("/tasks", headers=coordination.token("actor", place))
        assert (answer.status_code, answer.json()["code"]) == (403, "role_not_allowed")


async def test_a_case_is_shown_within_its_jurisdiction_only(coordination: Coordination):
    matter, item = Matter(), new_id()
    await coordination.receive(matter.submitted(), matter.accepted(item))
    path = f"/cases/{matter.case_id}"
    seen = await coordination.http.get(path, headers=coordination.token("officer", JIANGJIN))
    assert [entry["type"] for entry in seen.json()["timeline"]] == ["item.accepted.v1"]
    whole = await coordination.http.get(path, headers=coordination.token("operator"))
    assert len(whole.json()["timeline"]) == 2
    hidden = await coordination.http.get(path, headers=coordination.token("officer", "500107"))
    assert (hidden.status_code, hidden.json()["code"]) == (404, "case_unknown")


async def test_the_keeper_is_told_the_next_moment(coordination: Coordination):
    answer = await coordination.http.get("/deadlines/next", headers=coordination.token("keeper"))
    assert set(answer.json()) == {"at"}
    assert (await coordination.http.get("/deadlines/next")).status_code == 401


async def a_referral(coordination: Coordination) -> tuple[Matter, str]:
    matter, item, decision = Matter(), new_id(), new_id()
    accepted = matter.accepted(item, electricity_account=True)
    await coordination.at(noon(MONDAY + 10 * DAY)).receive(matter.submitted(), accepted,
                                                           matter.confirmed(item, decision))
    [entry] = departments_of(Benefit.DIBAO, BAISHA, MONDAY)
    offer = OfferReferrals(subject=accepted.subject, benefit=Benefit.DIBAO, decision_id=decision,
                           first_month=MONDAY.replace(day=1))
    await coordination.do(record_offers, offer, [(entry, "jwe")])
    [row] = await coordination.rows("select item_id from coordination.referrals where case_id = $1", matter.case_id)
    return matter, str(row["item_id"])


async def test_the_department_reads_its_own_topic_and_only_the_fields_it_is_granted(coordination: Coordination):
    matter, referral_id = await a_referral(coordination)
    rows = await coordination.rows("select event_id, topic, headers, convert_from(value, 'utf8') as value "
                                   "from coordination.outbox where key = $1 order by id", str(matter.case_id))
    assert [row["topic"] for row in rows] == ["relief.referral.v1", "department.electricity.v1"]
    copy = rows[1]
    data, headers = json.loads(copy["value"]), json.loads(copy["headers"])
    assert set(data) <= catalogue.granted_fields(ReferralOffered.TYPE, "department:electricity")
    assert headers["ce_itemid"] == referral_id
    assert copy["event_id"] != rows[0]["event_id"]
    forbidden = ("income", "illness", "identity", "name", "balance", "fact", "members")
    assert not [word for word in forbidden if word in copy["value"].replace("electricity_waiver", "")]


@pytest.mark.parametrize(("second", "status"), [
    ({"answer": "granted", "amount_fen_month": 520}, 201),
    ({"answer": "received"}, 201),
    ({"answer": "granted", "amount_fen_month": 521}, 409),
    ({"answer": "refused"}, 409),
])
async def test_a_final_answer_stands(coordination: Coordination, second: dict[str, object], status: int):
    matter, referral_id = await a_referral(coordination)
    path, token = f"/departments/electricity/referrals/{referral_id}/answers", coordination.token(
        "department", department="electricity")
    first = await coordination.http.post(path, json={"answer": "granted", "amount_fen_month": 520}, headers=token)
    assert first.status_code == 201
    again = await coordination.http.post(path, json=second, headers=token)
    assert again.status_code == status
    assert (await coordination.events_of(matter.case_id)).count("referral.answered") == 1
    assert await coordination.signals_of(matter.case_id) == ["ItemWorkflow", "decision_confirmed", "ReferralWorkflow",
                                                             "referral_answered"]


async def test_a_departments_reason_names_nobody(coordination: Coordination):
    matter, referral_id = await a_referral(coordination)
    path, token = f"/departments/electricity/referrals/{referral_id}/answers", coordination.token(
        "department", department="electricity")
    body = {"answer": "not_ours", "reason": "户主50011619610402001X不在本区"}
    answer = await coordination.http.post(path, json=body, headers=token)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "reason")
    assert "50011619610402001X" not in answer.text
    assert "referral.answered" not in await coordination.events_of(matter.case_id)


async def test_no_department_answers_for_another(coordination: Coordination):
    _, referral_id = await a_referral(coordination)
    path = f"/departments/electricity/referrals/{referral_id}/answers"
    body = {"answer": ReferralAnswer.GRANTED}
    other = coordination.token("department", department="water")
    assert (await coordination.http.post(path, json=body, headers=other)).status_code == 403
    officer = coordination.token("officer", JIANGJIN)
    assert (await coordination.http.post(path, json=body, headers=officer)).status_code == 403
    unknown = f"/departments/electricity/referrals/{new_id()}/answers"
    own = coordination.token("department", department="electricity")
    assert (await coordination.http.post(unknown, json=body, headers=own)).status_code == 404
