"""A case is closed once, when everything of it has ended, whatever order events come in."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from contracts.benefits import Benefit
from contracts.envelope import EventEnvelope, new_id
from contracts.events.decision import Outcome
from contracts.events.referral import ReferralAnswer
from contracts.http.casework import AnswerReferral
from contracts.processes import OfferReferrals
from services.coordination.answer_referral import answer_referral
from services.coordination.case_view import view_case
from services.coordination.offer_referrals import record_offers
from services.rulebook.terms import departments_of
from tests.services.coordination.builders import BAISHA, DAY, MONDAY, Matter, noon
from tests.services.coordination.service_under_test import Coordination


def offer_of(accepted: EventEnvelope[Any], decision_id: Any) -> OfferReferrals:
    return OfferReferrals(subject=accepted.subject, benefit=Benefit.DIBAO, decision_id=decision_id,
                          first_month=MONDAY.replace(day=1))


async def closings(coordination: Coordination, matter: Matter) -> int:
    return (await coordination.events_of(matter.case_id)).count("case.concluded")


@pytest.mark.parametrize("order", list(permutations(range(4))), ids=str)
async def test_two_items_close_one_case_once_in_any_order(coordination: Coordination, order: tuple[int, ...]):
    matter, dibao, emergency, decision = Matter(), new_id(), new_id(), new_id()
    # The events of one topic come in order; those of different topics in any.
    families = [
        [matter.submitted(Benefit.DIBAO, Benefit.TEMPORARY_ASSISTANCE)],
        [matter.accepted(dibao), matter.accepted(emergency, small_sum_fen=63000)],
        [matter.confirmed(emergency, new_id(), small_sum=True),
         matter.proposed(dibao, decision, outcome=Outcome.REFUSE),
         matter.confirmed(dibao, decision, outcome=Outcome.REFUSE)],
        [matter.notice_opened(dibao, new_id())],
    ]
    seen = []
    for index in order:
        for event in families[index]:
            await coordination.receive(event)
            seen.append(await closings(coordination, matter))
    assert seen[-1] == 1
    assert seen.count(1) == len(seen) - seen.index(1), "closed more than once, or too early"
    [case] = await coordination.rows("select results from coordination.cases where case_id = $1", matter.case_id)
    assert case["results"].count('"granted"') == 1
    assert case["results"].count('"refused"') == 1


async def test_everything_in_one_batch_closes_the_case_once(coordination: Coordination):
    matter, item, decision = Matter(), new_id(), new_id()
    await coordination.receive(matter.confirmed(item, decision, small_sum=True),
                               matter.accepted(item, small_sum_fen=63000),
                               matter.submitted(Benefit.TEMPORARY_ASSISTANCE))
    assert await coordination.events_of(matter.case_id) == ["case.concluded"]
    assert await coordination.signals_of(matter.case_id) == []


@pytest.mark.parametrize(("end", "result"), [("withdrawn", "withdrawn"), ("not_accepted", "not_accepted")])
async def test_an_item_that_waits_for_a_supplement_keeps_the_case_open(
    coordination: Coordination, end: str, result: str
):
    matter, item = Matter(), new_id()
    await coordination.receive(matter.submitted(), matter.supplement_requested(item))
    assert await closings(coordination, matter) == 0
    await coordination.receive(getattr(matter, end)(item))
    assert await closings(coordination, matter) == 1
    [case] = await coordination.rows("select results from coordination.cases where case_id = $1", matter.case_id)
    assert f'"{result}"' in case["results"]


async def test_a_grant_closes_the_case_only_after_its_referrals_are_answered(coordination: Coordination):
    matter, item, decision = Matter(), new_id(), new_id()
    accepted = matter.accepted(item, electricity_account=True)
    await coordination.receive(matter.submitted(), accepted, matter.proposed(item, decision),
                               matter.confirmed(item, decision))
    assert await closings(coordination, matter) == 0, "what the grant opens was not offered yet"
    [entry] = departments_of(Benefit.DIBAO, BAISHA, MONDAY)
    coordination.at(noon(MONDAY + 10 * DAY))
    assert await coordination.do(record_offers, offer_of(accepted, decision), [(entry, "jwe")]) == 1
    assert await coordination.do(record_offers, offer_of(accepted, decision), [(entry, "jwe")]) == 0
    assert await closings(coordination, matter) == 0
    [referral] = await coordination.rows("select item_id from coordination.referrals where case_id = $1",
                                         matter.case_id)
    for answer in (ReferralAnswer.RECEIVED, ReferralAnswer.GRANTED, ReferralAnswer.GRANTED):
        await coordination.do(answer_referral, "electricity", referral["item_id"], AnswerReferral(answer=answer))
    assert await coordination.events_of(matter.case_id) == [
        "referral.offered", "referral.offered", "referral.answered", "referral.answered", "case.concluded",
    ]


async def test_a_grant_that_opens_nothing_elsewhere_closes_the_case_when_that_is_known(coordination: Coordination):
    matter, item, decision = Matter(), new_id(), new_id()
    accepted = matter.accepted(item)
    await coordination.receive(matter.submitted(), accepted, matter.confirmed(item, decision))
    await coordination.do(record_offers, offer_of(accepted, decision), [])
    assert await coordination.events_of(matter.case_id) == ["case.concluded"]


async def test_an_event_that_comes_twice_changes_nothing(coordination: Coordination):
    matter, item, decision = Matter(), new_id(), new_id()
    events = [matter.submitted(), matter.accepted(item), matter.confirmed(item, decision, outcome=Outcome.REFUSE)]
    await coordination.receive(*events, *events)
    await coordination.receive(*events)
    assert await closings(coordination, matter) == 1
    assert await coordination.signals_of(matter.case_id) == ["ItemWorkflow", "decision_confirmed"]


@pytest.mark.parametrize("application_first", [True, False])
async def test_an_item_that_came_after_the_closing_notice_is_in_another_one(
    coordination: Coordination, application_first: bool
):
    matter, dibao, emergency = Matter(), new_id(), new_id()
    await coordination.receive(matter.submitted(), matter.accepted(dibao),
                               matter.confirmed(dibao, new_id(), outcome=Outcome.REFUSE))
    assert (await coordination.do(view_case, matter.case_id)).concluded_at is not None
    asked, accepted = matter.submitted(Benefit.TEMPORARY_ASSISTANCE), matter.accepted(emergency, small_sum_fen=63000)
    await coordination.receive(*([asked, accepted] if application_first else [accepted]))
    assert (await coordination.do(view_case, matter.case_id)).concluded_at is None, "it is open again"
    await coordination.receive(matter.confirmed(emergency, new_id(), small_sum=True))
    await coordination.receive(*([] if application_first else [asked]))
    assert await closings(coordination, matter) == 2
    view = await coordination.do(view_case, matter.case_id)
    assert view.concluded_at is not None
    assert {result.item_id: result.result for result in view.results} == {dibao: "refused", emergency: "granted"}
