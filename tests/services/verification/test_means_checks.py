"""No source is asked before everybody has signed; four answers stay four things; nothing is asked in vain."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.benefits import Benefit, Source
from contracts.envelope import new_id
from contracts.events.authorisation import SigningMethod
from contracts.events.means_check import AnswerKind
from deploy.sandbox.sources.facts import Behaviour, Told
from tests.services.verification.builders import MONDAY, an_item, revoked, signed, withdrawn
from tests.services.verification.service_under_test import Verification

pytestmark = pytest.mark.asyncio(loop_scope="session")

NOBODY: list[str] = []


async def test_no_source_is_asked_before_every_adult_has_authorised(verification: Verification):
    item = an_item(adults=2)
    husband, wife = (member.person_id for member in item.data.members)
    await verification.receive(item, signed(item, 0))
    await verification.ask()
    assert verification.asked(husband) == verification.asked(wife) == []
    assert await verification.event_types(item) == ["visit.ordered", "means_check.opened"]

    await verification.receive(signed(item, 1))
    await verification.ask()
    for person_id in (husband, wife):
        assert {asked.source for asked in verification.asked(person_id)} == set(Source)
    assert (await verification.event_types(item))[2:] == ["means_check.started", "means_check.completed"]


async def test_an_authorisation_that_comes_before_its_case_is_kept(verification: Verification):
    item = an_item()
    await verification.receive(signed(item))
    await verification.receive(item)
    await verification.ask()
    assert "means_check.completed" in await verification.event_types(item)


async def test_the_opened_check_names_whom_it_waits_for(verification: Verification):
    item = an_item(adults=2, children=1)
    await verification.receive(signed(item, 0))
    await verification.receive(item)
    [opened] = await verification.events(item, "means_check.opened%")
    assert opened["awaiting_person_ids"] == [str(item.data.members[number].person_id) for number in (1, 2)]


async def test_a_letter_that_leaves_a_source_out_does_not_start_the_check(verification: Verification):
    item = an_item()
    all_but_bank = tuple(source for source in Source if source is not Source.BANK)
    await verification.receive(item, signed(item, scope=all_but_bank))
    await verification.ask()
    assert verification.asked(item.data.applicant_person_id) == []
    await verification.receive(signed(item, scope=(Source.BANK,)))
    await verification.ask()
    assert {asked.source for asked in verification.asked(item.data.applicant_person_id)} == set(Source)


async def test_nothing_is_asked_before_a_guardian_has_signed_for_the_child(verification: Verification):
    item = an_item(children=1)
    parent, child = (member.person_id for member in item.data.members)
    of_child = (Source.CIVIL_REGISTRY, Source.DISABILITY, Source.MEDICAL_INSURANCE)
    await verification.receive(item, signed(item))
    await verification.receive(signed(item, 1, scope=of_child[:2], method=SigningMethod.GUARDIAN))
    await verification.ask()
    assert verification.asked(parent) == verification.asked(child) == []
    assert (await verification.case(item))["means_check"]["state"] == "awaiting_authorisation"

    await verification.receive(signed(item, 1, scope=of_child[2:], method=SigningMethod.GUARDIAN))
    await verification.ask()
    assert {asked.source for asked in verification.asked(parent)} == set(Source)
    assert {asked.source for asked in verification.asked(child)} == set(of_child)
    assert (await verification.event_types(item))[-1] == "means_check.completed"


async def test_an_item_that_asks_more_of_a_child_waits_for_its_letter_again(verification: Verification):
    item = an_item(children=1)
    await verification.receive(item, signed(item), signed(item, 1, method=SigningMethod.GUARDIAN))
    persons = [*(member.person_id for member in item.data.members), new_id()]
    await verification.ask()
    second = an_item(case_id=item.case_id, persons=persons)  # another child has come
    await verification.receive(second)
    [_, opened] = await verification.events(item, "means_check.opened%")
    assert opened["awaiting_person_ids"] == [str(persons[-1])]


async def test_persons_of_many_cases_are_asked_about_in_one_request_per_source(verification: Verification):
    items = [an_item() for _ in range(20)]
    await verification.receive(*items, *(signed(item) for item in items))
    await verification.ask()
    persons = {item.data.applicant_person_id for item in items}
    by_source = {request.recipient: len(persons & {one.person_id for one in request.persons})
                 for request in verification.vault.requests}
    assert by_source == {f"source:{source}": 20 for source in Source}
    assert len(verification.vault.requests) == len(Source)


async def test_four_answers_stay_four_things(verification: Verification):
    item = an_item()
    verification.tell(
        item.data.applicant_person_id,
        bank=Told(kind=AnswerKind.DATA, data={"balance_fen": 310_000}),
        property=Told(kind=AnswerKind.REFUSED),
        vehicles=Told(behaviour=Behaviour.UNREACHABLE),
    )
    await verification.receive(item, signed(item))
    await verification.ask()
    await verification.wait_out()
    [completed] = await verification.events(item, "means_check.completed%")
    kinds = {result["source"]: result["kind"] for result in completed["results"]}
    assert kinds == {
        "bank": "data", "property": "refused", "vehicles": "no_answer", "civil_registry": "data",
        "social_security": "no_record", "medical_insurance": "no_record", "disability": "no_record",
    }
    assert completed["complete"] is False
    questions = {one["source"]: one for one in (await verification.case(item))["means_check"]["questions"]}
    assert questions["vehicles"]["reason"] == "no_answer: HTTP 503"


async def test_an_unreachable_source_is_tried_three_times_and_no_more(verification: Verification, monkeypatch):
    item = an_item()
    requests: list[Source] = []
    answer = verification.sources.answer
    monkeypatch.setattr(verification.sources, "answer",
                        lambda source, request: (requests.append(source), answer(source, request))[1])
    verification.tell(item.data.applicant_person_id, bank=Told(behaviour=Behaviour.UNREACHABLE))
    await verification.receive(item, signed(item))
    await verification.ask()
    assert requests.count(Source.BANK) == 3
    assert requests.count(Source.VEHICLES) == 1


async def test_a_wrong_answer_is_no_answer_and_is_not_believed(verification: Verification):
    item = an_item()
    verification.tell(item.data.applicant_person_id, bank=Told(behaviour=Behaviour.WRONG))
    await verification.receive(item, signed(item))
    await verification.ask()
    questions = {one["source"]: one for one in (await verification.case(item))["means_check"]["questions"]}
    assert questions["bank"]["kind"] == "no_answer"
    assert questions["bank"]["reason"].startswith("answer_not_valid: data.")


async def test_a_late_source_is_waited_for_and_completes_the_check(verification: Verification):
    item = an_item()
    late = Told(kind=AnswerKind.DATA, data={"balance_fen": 1}, late_days=3)
    verification.tell(item.data.applicant_person_id, bank=late)
    await verification.receive(item, signed(item))
    await verification.ask()
    questions = {one["source"]: one for one in (await verification.case(item))["means_check"]["questions"]}
    assert questions["bank"]["state"] == "asked"
    assert "means_check.completed" not in await verification.event_types(item)

    assert verification.sources.next_at() is not None
    thursday = MONDAY + timedelta(days=3)
    verification.on(thursday)
    assert await verification.sources.act(verification.runtime.database.now, 1) == 1
    [completed] = await verification.events(item, "means_check.completed%")
    assert completed["complete"] is True


async def test_revoking_stops_every_question_of_the_household(verification: Verification):
    item = an_item(adults=2)
    letter = signed(item, 1)
    await verification.receive(item, signed(item, 0), letter)
    await verification.receive(revoked(letter))
    await verification.ask()
    for member in item.data.members:
        assert verification.asked(member.person_id) == []
    opened = (await verification.events(item, "means_check.opened%"))[-1]
    assert opened["awaiting_person_ids"] == [str(item.data.members[1].person_id)]

    await verification.receive(signed(item, 1))
    await verification.ask()
    assert (await verification.event_types(item))[-1] == "means_check.completed"


async def test_withdrawing_the_only_item_stops_questions_and_visit(verification: Verification):
    item = an_item()
    await verification.receive(item, signed(item))
    await verification.receive(withdrawn(item))
    await verification.ask()
    assert verification.asked(item.data.applicant_person_id) == []
    case = await verification.case(item)
    assert case["means_check"]["state"] == "stopped"
    assert [visit["state"] for visit in case["visits"]] == ["cancelled"]


async def test_a_second_item_shares_check_and_visit(verification: Verification):
    first = an_item()
    second = an_item(case_id=first.case_id, persons=[first.data.applicant_person_id])
    await verification.receive(first, second, signed(first))
    await verification.receive(withdrawn(first))
    await verification.ask()
    assert len(verification.asked(first.data.applicant_person_id)) == len(Source)
    assert (await verification.event_types(first)).count("visit.ordered") == 1
    assert (await verification.event_types(first)).count("means_check.opened") == 1


async def test_an_item_that_needs_nothing_of_us_leaves_no_trace(verification: Verification):
    item = an_item(needs_verification=False)
    await verification.receive(item, signed(item))
    assert await verification.event_types(item) == NOBODY


async def test_an_item_that_needs_neither_check_nor_visit_is_sent_on_at_once(verification: Verification):
    item = an_item(benefit=Benefit.TEMPORARY_ASSISTANCE)
    await verification.receive(item)
    assert await verification.event_types(item) == ["verification.completed"]


async def test_a_person_the_vault_does_not_know_holds_nobody_else_up(verification: Verification):
    known, unknown = an_item(), an_item()
    verification.vault.unknown.add(unknown.data.applicant_person_id)
    await verification.receive(known, unknown, signed(known), signed(unknown))
    await verification.ask()
    [completed] = await verification.events(known, "means_check.completed%")
    assert completed["complete"] is True
    [missing] = await verification.events(unknown, "means_check.completed%")
    assert {result["kind"] for result in missing["results"]} == {"no_answer"}


async def test_relatives_of_officers_are_visited_by_the_county(verification: Verification):
    item = an_item(near_relative=True)
    await verification.receive(item)
    [ordered] = await verification.events(item, "visit.ordered%")
    assert (ordered["performed_by"], ordered["area"]) == ("500116", "500112016")


async def test_the_same_event_twice_changes_nothing(verification: Verification):
    item = an_item()
    letter = signed(item)
    await verification.receive(item, letter)
    before = await verification.event_types(item)
    await verification.receive(item, letter)
    assert await verification.event_types(item) == before
