"""The officers of the city: what they find, and which request each task comes to."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from joserfc.jwk import OKPKey

from contracts.benefits import Benefit
from contracts.envelope import new_id
from contracts.facts import FactName
from contracts.http.casework import Task, TaskKind, TaskList
from deploy.sandbox.actor import ActorSettings
from deploy.sandbox.officers.app import Officers
from deploy.sandbox.officers.findings import findings

TOWN = "500116108"
MONDAY = datetime(2026, 3, 9, 1, tzinfo=UTC)
FRIDAY = datetime(2026, 3, 13, 9, tzinfo=UTC)
HUSBAND, WIFE = new_id(), new_id()


@pytest.mark.parametrize(("wanted", "told", "found"), [
    (["assets_within_local_limit"], {}, [(None, True)]),
    (["serious_illness"], {}, [(HUSBAND, False), (WIFE, False)]),
    (["serious_illness"], {FactName.SERIOUS_ILLNESS: True}, [(HUSBAND, True), (WIFE, True)]),
    (["support_income_fen_month"], {}, []),
    (["support_income_fen_month"], {FactName.SUPPORT_INCOME: 0}, [(None, 0)]),
    (["parameter:dibao.standard.rural"], {}, []),
])
def test_what_officers_find(
    wanted: list[str], told: dict[FactName, bool | int | str], found: list[tuple[UUID | None, bool | int]]
):
    facts = [one.fact for one in findings(wanted, told, [HUSBAND, WIFE], date(2026, 3, 9))]
    assert [(fact.person_id, fact.value) for fact in facts] == found


class City:
    """The services around the officers: one task list, and every request remembered."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.asked: list[tuple[str, dict[str, Any]]] = []

    async def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/tasks":
            return httpx.Response(200, text=TaskList(tasks=[self.task]).model_dump_json())
        if request.url.path.startswith("/cases/"):
            return httpx.Response(200, json={"visits": [{"person_ids": [str(HUSBAND)]}]})
        self.asked.append((request.url.path, json.loads(request.content)))
        return httpx.Response(201, json={})


def a_task(kind: TaskKind, wanted: list[str]) -> Task:
    return Task(task_id=new_id(), kind=kind, case_id=new_id(), item_id=new_id(), jurisdiction=TOWN,
                benefit=Benefit.TEMPORARY_ASSISTANCE, reference_id=new_id(), wanted=wanted, created_at=MONDAY)


async def at_work(city: City, folder: Path) -> Officers:
    key = folder / "idp.json"
    key.write_text(json.dumps(OKPKey.generate_key("Ed25519", {"kid": "idp"}).as_dict(private=True)))
    url = "http://service"
    officers = Officers(ActorSettings(http_port=1, idp_key_file=key, coordination_url=url, approval_url=url,
                                      verification_url=url))
    officers._client = httpx.AsyncClient(transport=httpx.MockTransport(city.answer))
    return officers


async def test_a_small_sum_is_signed_once(tmp_path: Path):
    city = City(a_task(TaskKind.DECIDE_SMALL_SUM, []))
    officers = await at_work(city, tmp_path)
    for _ in range(3):
        await officers.act(MONDAY, 0)
        await officers.act(FRIDAY, 0)
    assert city.asked == [(f"/items/{city.task.item_id}/small-sum", {"amount_fen": 50_000, "cause": "other"})]
    assert officers.next_at() is None


async def test_a_task_opened_again_for_something_else_is_done_again(tmp_path: Path):
    city = City(a_task(TaskKind.GIVE_FINDING, ["serious_illness"]))
    officers = await at_work(city, tmp_path)
    for wanted in (["serious_illness"], ["assets_within_local_limit"]):
        city.task = city.task.model_copy(update={"wanted": wanted})
        await officers.act(MONDAY, 0)
        await officers.act(FRIDAY, 0)
    assert [body["findings"][0]["fact"]["name"] for _, body in city.asked] == [
        "serious_illness", "assets_within_local_limit"]


async def test_what_an_officer_cannot_tell_holds_up_no_clock(tmp_path: Path):
    city = City(a_task(TaskKind.GIVE_FINDING, ["wage_fen_month"]))
    officers = await at_work(city, tmp_path)
    await officers.act(MONDAY, 0)
    await officers.act(FRIDAY, 0)
    assert (city.asked, officers.next_at()) == ([], None)
