"""Proposals: the rulebook's answer to the evidence, its public notice, and what later evidence may change."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from contracts.envelope import new_id
from contracts.facts import FactName
from tests.services.approval.builders import (
    BAISHA,
    JIANGJIN,
    MONDAY,
    YUBEI_TOWN,
    a_verification,
    a_withdrawal,
    an_item_accepted,
)
from tests.services.approval.service_under_test import Approval

WEDNESDAY = date(2025, 1, 8)
GRANTED = ["decision.proposed", "public_notice.opened"]
pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_grant_is_proposed_and_shown_for_seven_days_after_the_day_it_is_posted(approval: Approval) -> None:
    item = an_item_accepted(living_area=YUBEI_TOWN)
    await approval.on(WEDNESDAY).receive(item, a_verification(item))
    assert await approval.events_of(item) == GRANTED
    decision = await approval.decision_of(item)
    # 610 rural standard, and 60 on top for a serious illness
    assert (decision["outcome"], decision["amount_fen"], decision["level"]) == ("grant", 67000, "town")
    assert decision["confirmable_from"] == date(2025, 1, 16)
    [notice] = await approval.rows("select * from approval.notices where item_id = $1", item.item_id)
    assert (notice["opened_on"], notice["ends_on"]) == (WEDNESDAY, date(2025, 1, 15))
    assert notice["ends_at"] == datetime(2025, 1, 15, 16, tzinfo=UTC)  # 24:00 in Shanghai
    assert json.loads(notice["areas"]) == [BAISHA, YUBEI_TOWN]


async def test_a_refusal_is_proposed_with_reasons_and_without_notice(approval: Approval) -> None:
    item = an_item_accepted()
    await approval.on(WEDNESDAY).receive(item, a_verification(item, wage_fen_month=61000))
    assert await approval.events_of(item) == ["decision.proposed"]
    decision = await approval.decision_of(item)
    assert (decision["outcome"], decision["amount_fen"]) == ("refuse", None)
    assert decision["confirmable_from"] == WEDNESDAY
    [reason] = json.loads(decision["explanation"])["reasons"]
    assert reason["code"] == "income_at_or_above_standard" and "低保" in reason["zh"] and reason["clause"]


@pytest.mark.parametrize(("missing", "waits_on"), [
    (FactName.ASSETS_WITHIN_LOCAL_LIMIT, "officer"),
    (FactName.BANK_BALANCE, "source"),
    (FactName.BUSINESS_INCOME, "applicant"),
])
async def test_unknown_evidence_neither_grants_nor_refuses(
    approval: Approval, missing: FactName, waits_on: str
) -> None:
    item = an_item_accepted()
    await approval.on(WEDNESDAY).receive(item, a_verification(item, without=(missing,)))
    assert await approval.events_of(item) == ["decision.evidence_missing"]
    kept = await approval.item(item)
    assert (kept["state"], kept["waits_on"], json.loads(kept["missing"])) == ("waiting", waits_on, [missing.value])
    await approval.receive(a_verification(item, revision=2))
    assert await approval.events_of(item) == ["decision.evidence_missing", *GRANTED]


async def test_a_verification_that_comes_before_its_item_is_kept(approval: Approval) -> None:
    item = an_item_accepted()
    await approval.on(WEDNESDAY).receive(a_verification(item))
    assert await approval.events_of(item) == []
    await approval.receive(item)
    assert await approval.events_of(item) == GRANTED


async def test_a_withdrawal_that_comes_before_its_item_is_kept(approval: Approval) -> None:
    item = an_item_accepted()
    await approval.on(WEDNESDAY).receive(a_withdrawal(item))
    await approval.receive(item)
    assert (await approval.item(item))["state"] == "withdrawn"


@pytest.mark.parametrize(("revised", "superseded"), [
    ({}, False),
    ({"bank_balance_fen": 310001}, False),
    ({"wage_fen_month": 10000}, True),
    ({"wage_fen_month": 90000}, True),
    ({"serious_illness": False}, True),
])
async def test_revised_evidence_supersedes_a_proposal_only_if_the_result_differs(
    approval: Approval, revised: dict[str, int], superseded: bool
) -> None:
    item = an_item_accepted()
    await approval.on(WEDNESDAY).receive(item, a_verification(item))
    await approval.receive(a_verification(item, revision=2, **revised))
    states = await approval.rows("select state from approval.decisions where item_id = $1 order by decision_id",
                                 item.item_id)
    assert [row["state"] for row in states] == (["superseded", "proposed"] if superseded else ["proposed"])
    first_notice, *_ = await approval.rows("select state from approval.notices where item_id = $1 "
                                           "order by notice_id", item.item_id)
    assert first_notice["state"] == ("closed" if superseded else "open")


async def test_both_revisions_in_one_batch_end_as_if_they_had_come_apart(approval: Approval) -> None:
    item = an_item_accepted()
    await approval.on(WEDNESDAY).receive(
        item, a_verification(item), a_verification(item, revision=3, wage_fen_month=90000),
        a_verification(item, revision=2, without=(FactName.ALIVE,)),
    )
    assert await approval.events_of(item) == [*GRANTED, "decision.proposed"]
    assert (await approval.decision_of(item))["outcome"] == "refuse"
    effects = await approval.rows("select revision, effect from approval.evidence where item_id = $1 order by 1",
                                  item.item_id)
    assert [(row["revision"], row["effect"]) for row in effects] == [(1, "proposed"), (2, "stale"), (3, "proposed")]


async def test_evidence_that_falls_away_takes_the_proposal_and_its_notice_with_it(approval: Approval) -> None:
    item = an_item_accepted()
    await approval.on(WEDNESDAY).receive(item, a_verification(item))
    await approval.receive(a_verification(item, revision=2, without=(FactName.ALIVE,)))
    assert (await approval.decision_of(item))["state"] == "superseded"
    assert (await approval.item(item))["state"] == "waiting"
    assert await approval.rows("select 1 from approval.notices where item_id = $1 and state = 'open'",
                               item.item_id) == []


async def test_late_evidence_never_changes_a_confirmed_decision(approval: Approval) -> None:
    item = an_item_accepted()
    await approval.on(WEDNESDAY).receive(item, a_verification(item, wage_fen_month=90000))
    decision = await approval.decision_of(item)
    answer = await approval.post(f"/decisions/{decision['decision_id']}/confirm", approval.officer(BAISHA))
    assert answer.status_code == 200, answer.text
    before = await approval.events_of(item)
    await approval.receive(a_verification(item, revision=2))
    assert await approval.events_of(item) == before
    assert (await approval.decision_of(item))["outcome"] == "refuse"
    [late] = await approval.rows("select effect from approval.evidence where item_id = $1 and revision = 2",
                                 item.item_id)
    assert late["effect"] == "too_late"


async def test_a_withdrawn_item_loses_its_proposal_and_notice(approval: Approval) -> None:
    item = an_item_accepted()
    await approval.on(WEDNESDAY).receive(item, a_verification(item))
    await approval.receive(a_withdrawal(item))
    assert (await approval.decision_of(item))["state"] == "withdrawn"
    await approval.receive(a_verification(item, revision=2, wage_fen_month=90000))
    assert await approval.events_of(item) == GRANTED


async def test_a_near_relative_of_an_officer_is_decided_by_the_county(approval: Approval) -> None:
    item = an_item_accepted(near_relative=True)
    await approval.on(WEDNESDAY).receive(item, a_verification(item, wage_fen_month=90000))
    decision = await approval.decision_of(item)
    assert decision["level"] == "county"
    path = f"/decisions/{decision['decision_id']}/confirm"
    assert (await approval.post(path, approval.officer(BAISHA))).json()["code"] == "county_decides"
    assert (await approval.post(path, approval.officer(JIANGJIN))).status_code == 200


async def test_one_batch_holds_grants_refusals_and_what_is_unknown(approval: Approval) -> None:
    items = [an_item_accepted(on=MONDAY) for _ in range(6)]
    differing: list[dict[str, Any]] = [{}, {"wage_fen_month": 90000}, {"without": (FactName.ALIVE,)}] * 2
    completed = [a_verification(item, **differs) for item, differs in zip(items, differing, strict=True)]
    await approval.on(WEDNESDAY).receive(*items, *completed)
    assert [await approval.events_of(item) for item in items] == [
        GRANTED, ["decision.proposed"], ["decision.evidence_missing"]
    ] * 2


async def test_a_revision_told_twice_is_recorded_once(approval: Approval) -> None:
    item = an_item_accepted()
    completed = a_verification(item)
    await approval.on(WEDNESDAY).receive(item, completed, replace(completed, id=new_id()))
    assert await approval.events_of(item) == GRANTED
    assert len(await approval.rows("select 1 from approval.evidence where item_id = $1", item.item_id)) == 1


async def test_a_poisoned_verification_stops_no_other_of_its_batch(approval: Approval) -> None:
    unknown_place, *others = [an_item_accepted(owner=owner) for owner in ("990000001", BAISHA, BAISHA)]
    await approval.on(WEDNESDAY).receive(unknown_place, *others)
    await approval.receive(*(a_verification(item) for item in (others[0], unknown_place, others[1])))
    assert [await approval.events_of(item) for item in others] == [GRANTED] * 2
    assert await approval.events_of(unknown_place) == []
    parked = await approval.rows("select reason from approval.dead_letters where case_id = $1", unknown_place.case_id)
    assert len(parked) == 1


async def test_the_explanation_names_source_date_and_clause_of_each_figure(approval: Approval) -> None:
    item = an_item_accepted()
    await approval.on(WEDNESDAY).receive(item, a_verification(item))
    decision = await approval.decision_of(item)
    answer = await approval.http.get(f"/decisions/{decision['decision_id']}", headers=approval.officer(BAISHA))
    explanation = answer.json()["explanation"]
    standard = next(figure for figure in explanation["figures"] if figure["path"] == "dibao.standard.rural")
    assert (standard["value"], standard["unit"], standard["from_date"]) == (61000, "fen_month", "2024-09-01")
    assert standard["reference"] and standard["verified"] in (True, False)
    assert all(reason["zh"] and reason["en"] and reason["clause"] for reason in explanation["reasons"])
    assert all(fact["origin"] and fact["as_of"] for fact in explanation["facts"])
    assert sum(line["amount_fen"] for line in explanation["lines"]) == answer.json()["amount_fen"]
    assert explanation["rulebook_version"] and explanation["rule_date"] == "2025-01-08"
