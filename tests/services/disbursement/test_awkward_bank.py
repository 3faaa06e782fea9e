"""A bank as the world has them: away, silent, refusing, settling twice. Each payment goes out once, none is lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from contracts.events.decision import Period
from deploy.invariants.checks import _ledger_differs_from_bank
from deploy.local.infrastructure import Infrastructure
from services.disbursement.recorded_waits import next_wait_ends_at
from services.disbursement.rules import AFTER_BANK_FAILURES, AFTER_ORDER_REFUSALS, try_again_after
from services.disbursement.send_to_bank import send_to_bank, unsent
from services.runtime import clients
from services.runtime.circuit_breaker import FAILURES_MAX, CircuitBreakers
from services.runtime.database import Database
from services.runtime.outside_party import PartyFailed
from tests.services.disbursement.service_under_test import NOON, Disbursement, running
from tests.services.disbursement.test_payments import an_award, start

pytestmark = pytest.mark.asyncio(loop_scope="session")

PROPER_FEN, ODD_FEN = 67_000, 13
MINUTE = timedelta(minutes=1)


@pytest_asyncio.fixture(loop_scope="session")
async def service(database: Database, stack: Infrastructure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
                  ) -> AsyncIterator[Disbursement]:
    monkeypatch.setattr(clients, "FIRST_PAUSE_SECONDS", 0.001)
    async with running(stack, tmp_path) as running_service:
        yield running_service


async def payments(service: Disbursement, count: int, amount_fen: int = PROPER_FEN) -> list[UUID]:
    """So many awards given once: their payments are instructed."""
    awards = [an_award(period=Period.ONCE, amount_fen=amount_fen) for _ in range(count)]
    await start(service.database, *awards)
    rows = await service.rows("select payment_id from disbursement.payments where award_id = any($1)",
                              [award.data.award_id for award in awards])
    return [row["payment_id"] for row in rows]


async def states(service: Disbursement, payment_ids: list[UUID]) -> set[str]:
    rows = await service.rows("select distinct state from disbursement.payments where payment_id = any($1)",
                              payment_ids)
    return {row["state"] for row in rows}


async def paid_fen(service: Disbursement, payment_ids: list[UUID]) -> int:
    [row] = await service.rows("select coalesce(sum(amount_fen), 0)::bigint as fen from disbursement.postings "
                               "where account = 'paid' and payment_id = any($1)", payment_ids)
    return row["fen"]


def times_booked(service: Disbursement, payment_ids: list[UUID]) -> set[int]:
    booked = [line.payment_id for line in service.bank.books.lines]
    return {booked.count(payment_id) for payment_id in payment_ids}


async def test_a_bank_that_is_away_is_waited_for_on_record_and_then_pays_each_once(service: Disbursement):
    paid = await payments(service, 3)
    service.behave(away=True)
    await service.send()
    asked = len(service.batches)
    assert await next_wait_ends_at(service.runtime) == NOON + AFTER_BANK_FAILURES[0]
    told = await service.get("/waits")
    assert told["waits"] == [{
        "party": "bank", "reason": "no_answer: HTTP 503", "since": "2025-01-16T04:00:00Z",
        "next_try_at": "2025-01-16T04:01:00Z", "cases_count": 3,
    }]
    assert [circuit["party"] for circuit in told["circuits"]] == ["bank"]
    service.restart()
    service.behave()
    assert (await unsent(service.runtime), await send_to_bank(service.runtime)) == (0, 0)
    assert len(service.batches) == asked, "nothing goes out before the moment, after a restart neither"

    service.at(NOON + MINUTE)
    assert await unsent(service.runtime) == 3, "the clock must not leap past a wait that is over"
    await service.send()
    await service.book()
    assert (await states(service, paid), times_booked(service, paid)) == ({"settled"}, {1})
    assert (await service.get("/waits"))["waits"] == []


async def test_a_bank_that_stays_away_is_waited_for_longer_each_time_and_never_given_up(service: Disbursement):
    paid = await payments(service, 1)
    service.behave(away=True)
    await service.send()
    waited: list[timedelta] = []
    for _ in range(len(AFTER_BANK_FAILURES) + 1):
        moment = await next_wait_ends_at(service.runtime)
        assert moment is not None
        waited.append(moment - service.database.now)
        service.at(moment)
        await service.send()
    assert waited == [*AFTER_BANK_FAILURES, AFTER_BANK_FAILURES[-1]]
    assert await states(service, paid) == {"instructed"}


async def test_a_failing_bank_is_left_in_peace_for_a_while_that_holds_the_clock(service: Disbursement):
    service.runtime.breakers = CircuitBreakers(open_seconds=3600)
    await payments(service, 1)
    service.behave(away=True)
    for _ in range(FAILURES_MAX - 1):
        with pytest.raises(PartyFailed):
            await send_to_bank(service.runtime)
    await send_to_bank(service.runtime)
    service.at(NOON + MINUTE)
    asked = len(service.batches)
    assert await unsent(service.runtime) == 1
    assert await send_to_bank(service.runtime) == 0
    assert len(service.batches) == asked


@pytest.mark.parametrize(("manner", "reason"), [
    ({"refuses_amounts": {ODD_FEN}}, "request_refused: HTTP 422"),
    ({"fails_on_amounts": {ODD_FEN}}, "no_answer: HTTP 500"),
    ({"leaves_out_amounts": {ODD_FEN}}, "left_out_of_the_answer"),
])
async def test_an_order_the_bank_takes_in_no_batch_waits_visibly_and_holds_up_no_other(
    service: Disbursement, manner: dict[str, Any], reason: str
):
    others = await payments(service, 40)
    [odd] = await payments(service, 1, ODD_FEN)
    service.behave(**manner)
    await service.send()
    assert (await states(service, others), await states(service, [odd])) == ({"accepted"}, {"instructed"})
    [row] = await service.rows("select case_id from disbursement.payments where payment_id = $1", odd)
    [view] = (await service.get(f"/cases/{row['case_id']}"))["payments"]
    assert (view["waits"]["party"], view["waits"]["reason"]) == ("bank", reason)
    assert [(one["reason"], one["cases_count"]) for one in (await service.get("/waits"))["waits"]] == [(reason, 1)]

    service.behave()
    await service.send()
    assert await states(service, [odd]) == {"instructed"}, "it waits for its moment"
    service.at(NOON + AFTER_ORDER_REFUSALS[0])
    await service.send()
    await service.book()
    assert (await states(service, [*others, odd]), times_booked(service, [*others, odd])) == ({"settled"}, {1})
    assert (await service.get("/waits"))["waits"] == []


async def test_an_operator_sends_a_waiting_payment_before_its_moment(service: Disbursement):
    [odd] = await payments(service, 1, ODD_FEN)
    service.behave(refuses_amounts={ODD_FEN})
    await service.send()
    service.behave()
    operator = service.identities.headers("operator", "operator:1")
    path = f"/payments/{odd}/send-again"
    assert (await service.http.post(path, headers=operator)).status_code == 202
    await service.send()
    assert await states(service, [odd]) == {"accepted"}
    again = await service.http.post(path, headers=operator)
    assert (again.status_code, again.json()["code"]) == (409, "not_waiting")


@pytest.mark.parametrize("silent_requests", [1, clients.ATTEMPTS_MAX, clients.ATTEMPTS_MAX * FAILURES_MAX])
async def test_a_bank_that_took_orders_without_answering_gets_them_again_and_pays_once(
    service: Disbursement, silent_requests: int
):
    paid = await payments(service, 3)
    service.behave(takes_without_answer=silent_requests)
    await service.send()
    service.at(NOON + MINUTE)
    await service.send()
    await service.book()
    assert (await states(service, paid), times_booked(service, paid)) == ({"settled"}, {1})
    assert await paid_fen(service, paid) == 3 * PROPER_FEN
    assert len(service.batches) > 1


async def test_what_the_bank_settles_while_we_wait_for_its_answer_is_not_sent_again(service: Disbursement):
    paid = await payments(service, 1)
    service.behave(takes_without_answer=1_000)
    await service.send()
    await service.book()
    assert await states(service, paid) == {"settled"}
    asked = len(service.batches)
    service.at(NOON + timedelta(days=1))
    assert await send_to_bank(service.runtime) == 0
    assert len(service.batches) == asked


async def test_a_bank_that_babbles_is_waited_for_and_pays_once(service: Disbursement):
    paid = await payments(service, 2)
    service.behave(babbles=True)
    await service.send()
    assert [one["reason"] for one in (await service.get("/waits"))["waits"]] == ["response_not_readable"]
    service.behave()
    service.at(NOON + MINUTE)
    await service.send()
    await service.book()
    assert (await states(service, paid), times_booked(service, paid)) == ({"settled"}, {1})


async def test_a_word_about_an_order_of_another_batch_is_not_believed(service: Disbursement):
    paid = await payments(service, 2)
    service.behave(talks_of_strangers=True)
    with capture_logs() as logs:
        await service.send()
    assert await states(service, paid) == {"accepted"}
    assert [entry["results"] for entry in logs if entry["event"] == "bank.answered_unasked"] == [1]


async def test_a_second_settlement_moves_nothing_and_stands_where_a_person_and_an_invariant_see_it(
    service: Disbursement,
):
    [once] = await payments(service, 1)
    [twice] = await payments(service, 1, ODD_FEN)
    service.behave(settles_twice_amounts={ODD_FEN})
    before = {line["line_id"] for line in await service.get("/bank/unexplained-lines")}
    await service.send()
    await service.book()
    assert times_booked(service, [twice]) == {2}
    assert await paid_fen(service, [once, twice]) == PROPER_FEN + ODD_FEN
    [line] = [one for one in await service.get("/bank/unexplained-lines") if one["line_id"] not in before]
    assert (line["payment_id"], line["amount_fen"], line["kind"]) == (str(twice), ODD_FEN, "settled")

    lines = [line.model_dump(mode="json") for line in service.bank.books.lines]
    violations = await _ledger_differs_from_bank(SimpleNamespace(rows=service.rows, bank_lines=lines))
    assert f"Payment {twice}: the ledger says {ODD_FEN} fen, the bank {2 * ODD_FEN}." in violations
    assert f"Statement line {line['line_id']} fits no payment." in violations
    assert not [sentence for sentence in violations if str(once) in sentence]


async def test_only_operators_see_unexplained_lines(service: Disbursement):
    officer = service.identities.headers("officer", "officer:500116108:1", jurisdiction="500116108")
    assert (await service.http.get("/bank/unexplained-lines", headers=officer)).status_code == 403


@pytest.mark.parametrize("pauses", [AFTER_BANK_FAILURES, AFTER_ORDER_REFUSALS])
async def test_pauses_grow_and_the_last_one_stands(pauses: tuple[timedelta, ...]):
    waited = [try_again_after(pauses, tries_count) for tries_count in range(len(pauses) + 3)]
    assert waited == sorted(waited)
    assert waited[-1] == pauses[-1]
