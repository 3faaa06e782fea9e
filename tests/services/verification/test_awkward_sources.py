"""Sources as the world has them: late, half, twice, about others, broken. None is believed wrongly, none is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from contracts.benefits import Source
from contracts.envelope import EventEnvelope
from contracts.events.item import ItemAccepted
from contracts.events.means_check import AnswerKind
from deploy.sandbox.sources.facts import Behaviour, Told
from deploy.sandbox.sources.manner import Manner, Way
from services.runtime.circuit_breaker import CircuitBreakers
from services.runtime.health import quiet
from services.runtime.loops import LoopRunner
from services.verification.ask_sources import LOOP, ask_sources, questions_pending
from services.verification.recorded_waits import next_wait_ends_at
from services.verification.rules import AFTER_FAILURES, AFTER_PROMISES, ask_again_after
from tests.services.verification.builders import BAISHA, MONDAY_NOON, an_item, signed
from tests.services.verification.service_under_test import Verification

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOUR = timedelta(hours=1)
A_BALANCE = Told(kind=AnswerKind.DATA, data={"balance_fen": 310_000})


async def households(verification: Verification, count: int, *, bank: Told = A_BALANCE
                     ) -> list[EventEnvelope[ItemAccepted]]:
    """So many households of one, all of whose sources may be asked now; the bank knows each."""
    items = [an_item() for _ in range(count)]
    for item in items:
        verification.tell(item.data.applicant_person_id, bank=bank)
    await verification.receive(*items, *(signed(item) for item in items))
    return items


async def kinds_of(verification: Verification, items: list[EventEnvelope[ItemAccepted]]) -> list[str | None]:
    return [(await verification.question(item, "bank"))["kind"] for item in items]


async def evidence_of_bank(verification: Verification, item: EventEnvelope[ItemAccepted]) -> list[dict[str, Any]]:
    return await verification.execute(
        "select content from verification.evidence where case_id = $1 and signer = 'source:bank'", item.case_id)


async def test_an_answer_promised_for_later_hinders_no_leap_and_counts_when_it_comes(verification: Verification):
    [item] = await households(verification, 1, bank=A_BALANCE.model_copy(update={"late_hours": 5}))
    await verification.ask()
    assert await questions_pending(verification.runtime) == 0
    question = await verification.question(item, "bank")
    assert (question["state"], question["reason"]) == ("asked", "answers_later")
    assert await next_wait_ends_at(verification.runtime) == MONDAY_NOON + HOUR

    verification.at(MONDAY_NOON + 5 * HOUR)
    await verification.ask()
    assert await verification.sources.act(MONDAY_NOON + 5 * HOUR, 1) == 1
    question = await verification.question(item, "bank")
    assert (question["kind"], question["waiting_since"], question["ask_again_at"]) == ("data", None, None)
    assert len({asked.query_id for asked in verification.asked(item.data.applicant_person_id)
                if asked.source is Source.BANK}) == 1, "asked again under the same id"
    assert [event["complete"] for event in await verification.events(item, "means_check.completed%")] == [True]


async def test_whoever_half_an_answer_leaves_out_is_asked_about_again_and_never_has_no_record(
    verification: Verification,
):
    items = await households(verification, 4)
    verification.sources.behave(Source.BANK, Manner(way=Way.HALF))
    await verification.ask()
    assert sorted(await kinds_of(verification, items), key=str) == [None, None, "data", "data"]
    left_out = [item for item in items if (await verification.question(item, "bank"))["kind"] is None]
    for item in left_out:
        question = await verification.question(item, "bank")
        assert (question["state"], question["reason"]) == ("asked", "left_out_of_the_answer")
        assert await evidence_of_bank(verification, item) == []
    await verification.wait_out()
    assert await kinds_of(verification, items) == ["data"] * 4


async def test_who_never_gets_an_answer_has_no_answer_in_the_end_and_not_before(verification: Verification):
    [item] = await households(verification, 1, bank=Told(behaviour=Behaviour.SILENT))
    await verification.ask()
    moments = await verification.wait_out()
    assert moments == [MONDAY_NOON + sum(AFTER_PROMISES[:number], timedelta())
                       for number in range(1, len(AFTER_PROMISES) + 1)]
    question = await verification.question(item, "bank")
    assert (question["kind"], question["reason"]) == ("no_answer", "answers_later")
    assert await evidence_of_bank(verification, item) != [], "that nothing came is on file"


@pytest.mark.parametrize("way", [Way.TWICE, Way.STRANGERS])
async def test_answers_given_twice_or_about_strangers_count_once_and_only_where_asked(
    verification: Verification, way: Way
):
    items = await households(verification, 3)
    before = await verification.execute("select count(*) from verification.evidence")
    verification.sources.behave(Source.BANK, Manner(way=way))
    with capture_logs() as logs:
        await verification.ask()
    assert await kinds_of(verification, items) == ["data"] * 3
    for item in items:
        assert len(await evidence_of_bank(verification, item)) == 1
    after = await verification.execute("select count(*) from verification.evidence")
    assert after[0]["count"] - before[0]["count"] == 3 * len(Source)
    alarms = [entry for entry in logs if entry["event"] == "source.answered_unasked"]
    assert [alarm["answers"] for alarm in alarms] == ([3] if way is Way.STRANGERS else [])


async def test_of_two_tales_about_one_person_neither_is_believed(verification: Verification):
    [item] = await households(verification, 1)
    verification.sources.behave(Source.BANK, Manner(way=Way.TWO_TALES))
    with capture_logs() as logs:
        await verification.ask()
    question = await verification.question(item, "bank")
    assert (question["kind"], question["reason"]) == ("no_answer", "answers_contradict")
    assert "source.contradicts_itself" in {entry["event"] for entry in logs}
    [evidence] = await evidence_of_bank(verification, item)
    assert "balance" not in str(evidence), "no figure of either is on file"


@pytest.mark.parametrize(("way", "reason"), [
    (Way.OTHER_REQUEST, "answers_another_request"),
    (Way.MALFORMED, "response_not_readable"),
    (Way.HUGE, "no_answer: AnswerTooLarge"),
    (Way.FAILS, "no_answer: HTTP 500"),
    (Way.REFUSES_US, "request_refused: HTTP 401"),
])
async def test_a_response_that_cannot_be_used_is_waited_for_with_its_reason_and_nothing_of_it_is_kept(
    verification: Verification, way: Way, reason: str
):
    items = await households(verification, 2)
    verification.sources.behave(Source.BANK, Manner(way=way))
    await verification.ask()
    assert await questions_pending(verification.runtime) == 0
    for item in items:
        question = await verification.question(item, "bank")
        assert (question["state"], question["reason"], question["kind"]) == ("waiting", reason, None)
        assert question["ask_again_at"] == (MONDAY_NOON + AFTER_FAILURES[0]).isoformat().replace("+00:00", "Z")
        assert await evidence_of_bank(verification, item) == []
    verification.sources.behave(Source.BANK, Manner())
    await verification.wait_out()
    assert await kinds_of(verification, items) == ["data", "data"]


async def test_a_source_that_refuses_one_person_s_question_still_answers_for_the_others(
    verification: Verification,
):
    items = await households(verification, 8)
    poison, *others = items
    # Sealed for somebody else, this person cannot be read by the bank, which refuses the whole request.
    verification.vault.sealed_wrongly.add(poison.data.applicant_person_id)
    await verification.ask()
    assert await kinds_of(verification, others) == ["data"] * 7
    question = await verification.question(poison, "bank")
    assert (question["kind"], question["reason"]) == ("no_answer", "request_refused: HTTP 422")


async def test_a_wait_outlives_the_process_and_ends_at_its_legal_moment(verification: Verification):
    [item] = await households(verification, 1)
    verification.sources.behave(Source.BANK, Manner(way=Way.FAILS, requests=3))
    await verification.ask()
    verification.restart()
    verification.at(MONDAY_NOON + AFTER_FAILURES[0] - timedelta(seconds=1))
    assert (await questions_pending(verification.runtime), await ask_sources(verification.runtime)) == (0, 0)
    verification.at(MONDAY_NOON + AFTER_FAILURES[0])
    assert await questions_pending(verification.runtime) == 1, "the clock must not leap past a wait that is over"
    await verification.ask()
    assert await kinds_of(verification, [item]) == ["data"]


async def test_the_keeper_is_told_when_the_next_wait_ends_and_that_nothing_is_pending(verification: Verification):
    await households(verification, 1)
    verification.sources.behave(Source.BANK, Manner(way=Way.FAILS))
    await verification.ask()
    verification.runtime.loops[LOOP.name] = LoopRunner(LOOP, verification.runtime)
    told = await quiet(verification.runtime)
    assert (told.pending, told.next_at) == (0, MONDAY_NOON + AFTER_FAILURES[0])


async def test_a_source_that_fails_in_a_row_is_left_in_peace_and_no_identifier_is_opened_for_it(
    verification: Verification,
):
    verification.runtime.breakers = CircuitBreakers(open_seconds=3600)
    verification.sources.behave(Source.BANK, Manner(way=Way.FAILS))
    for _ in range(2):
        await households(verification, 1)
        await verification.ask_what_is_due_soon()
    breaker = verification.runtime.breakers.towards("source:bank")
    assert breaker.phase == "open"
    sealed = len([one for one in verification.vault.requests if one.recipient == "source:bank"])
    [item] = await households(verification, 1)
    await verification.ask_what_is_due_soon()
    assert len([one for one in verification.vault.requests if one.recipient == "source:bank"]) == sealed
    assert (await verification.question(item, "bank"))["reason"] == "circuit_open"
    assert (await verification.question(item, "vehicles"))["kind"] == "no_record", "other sources are asked"
    assert await questions_pending(verification.runtime) > 0, "seconds of machine time hold the clock"

    answer = await verification.http.get("/waits", headers=verification.identities.headers("operator", "operator:1"))
    assert answer.status_code == 200, answer.text
    assert [(one["party"], one["phase"]) for one in answer.json()["circuits"]] == [("source:bank", "open")]
    assert "circuit_open" in {one["reason"] for one in answer.json()["waits"] if one["party"] == "source:bank"}

    breaker._trial_from = 0.0
    verification.sources.behave(Source.BANK, Manner())
    await verification.execute("update verification.queries set ask_from = clock_timestamp() where case_id = $1 "
                               "and state = 'due'", item.case_id)
    await ask_sources(verification.runtime)
    assert breaker.phase == "closed"
    assert await kinds_of(verification, [item]) == ["data"]


async def test_operators_see_per_source_and_reason_how_many_cases_wait_since_when_and_until_when(
    verification: Verification,
):
    await households(verification, 3)
    verification.sources.behave(Source.BANK, Manner(way=Way.FAILS))
    await verification.ask()
    answer = await verification.http.get("/waits", headers=verification.officer(BAISHA))
    assert answer.json()["waits"] == [{
        "party": "source:bank", "reason": "no_answer: HTTP 500", "cases_count": 3,
        "since": "2025-01-06T04:00:00Z", "next_try_at": "2025-01-06T04:15:00Z",
    }]
    elsewhere = await verification.http.get("/waits", headers=verification.officer("500112"))
    assert elsewhere.json()["waits"] == []


async def test_an_officer_may_end_a_wait_before_its_moment(verification: Verification):
    [item] = await households(verification, 1)
    verification.sources.behave(Source.BANK, Manner(way=Way.FAILS, requests=3))
    await verification.ask()
    check_id = (await verification.case(item))["means_check"]["means_check_id"]
    assert (await verification.post(f"/means-checks/{check_id}/ask-again")).status_code == 202
    await verification.ask()
    assert await kinds_of(verification, [item]) == ["data"]


@pytest.mark.parametrize("promised", [True, False])
async def test_pauses_grow_and_end(promised: bool):
    pauses = [ask_again_after(tries_count, promised=promised) for tries_count in range(7)]
    known = [pause for pause in pauses if pause is not None]
    assert known == sorted(known)
    assert pauses[-1] is None
