"""The city's bank: the same order is taken once, and it misbehaves only as it is told."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from joserfc.jwk import KeySet, OKPKey

from contracts.envelope import new_id
from contracts.http.bank import PaymentBatch, PaymentOrder
from deploy.sandbox.actor import ActorSettings, actor_app
from deploy.sandbox.bank.app import Bank, routes
from deploy.sandbox.bank.books import Books

NOON = datetime(2025, 1, 6, 4, tzinfo=UTC)


class NoIdentities:
    def headers(self, role: str, subject: str) -> dict[str, str]:
        return {}


class City:
    """The bank's process and its customer, who takes every statement."""

    def __init__(self, folder: Path) -> None:
        keys = KeySet([OKPKey.generate_key("X25519", {"kid": "bank"})])
        settings = ActorSettings(http_port=1, disbursement_url="http://disbursement")
        self.bank = Bank(settings, Books(folder), keys, NoIdentities())
        self.bank._client = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200)))
        self.http = TestClient(actor_app("bank", self.bank, [routes(self.bank)]))

    def behave(self, **manner: Any) -> None:
        assert self.http.post("/manner", json=manner).status_code == 200

    def send(self, *orders: PaymentOrder) -> httpx.Response:
        batch = PaymentBatch(batch_id=new_id(), legal_time=NOON, orders=list(orders))
        return self.http.post("/payment-batches", json=batch.model_dump(mode="json"))

    def booked(self) -> list[str]:
        self.http.post("/act", json={"legal_now": (NOON + timedelta(hours=2)).isoformat(), "leap_number": 1})
        return [line["payment_id"] for line in self.http.get("/statements").json()["lines"]]


@pytest.fixture
def city(tmp_path: Path) -> City:
    return City(tmp_path)


def an_order(amount_fen: int) -> PaymentOrder:
    return PaymentOrder(payment_id=new_id(), amount_fen=amount_fen, payee="sealed", purpose="dibao",
                        period=date(2025, 1, 1))


def test_an_order_sent_again_gets_the_same_answer_and_is_booked_once(city: City):
    order = an_order(1)
    assert city.send(order).json() == city.send(order).json()
    assert city.booked() == [str(order.payment_id)]


@pytest.mark.parametrize(("manner", "status"), [
    ({"away": True}, 503), ({"refuses_amounts": [7]}, 422), ({"fails_on_amounts": [7]}, 500),
])
def test_of_a_batch_that_is_turned_away_nothing_is_taken(city: City, manner: dict[str, Any], status: int):
    city.behave(**manner)
    assert city.send(an_order(7), an_order(8)).status_code == status
    assert city.booked() == []


def test_it_may_take_orders_without_answering_so_often_as_told(city: City):
    order = an_order(1)
    city.behave(takes_without_answer=1)
    assert [city.send(order).status_code for _ in range(2)] == [504, 200]
    assert city.booked() == [str(order.payment_id)]


def test_it_may_settle_a_sum_twice_and_leave_another_out(city: City):
    twice, never = an_order(2), an_order(3)
    city.behave(settles_twice_amounts=[2], leaves_out_amounts=[3])
    assert [one["payment_id"] for one in city.send(twice, never).json()["results"]] == [str(twice.payment_id)]
    assert city.booked() == [str(twice.payment_id)] * 2
