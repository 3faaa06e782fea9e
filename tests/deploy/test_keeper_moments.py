"""The keeper leaps to the earliest moment anybody names: a deadline, an actor's act, the end of a recorded wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import httpx
import pytest

from contracts.http.clock import Quiet
from deploy.local.keeper_loop import KeeperLoop, _Round

NOON = datetime(2025, 1, 6, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)


def a_keeper(deadline: datetime | None) -> KeeperLoop:
    keeper = KeeperLoop(watched_urls={}, actor_urls={"officers": "http://officers"}, database_dsn="",
                        coordination_url="http://coordination", signer=SimpleNamespace(service_token=lambda _: ""))
    answer = httpx.Response(200, json={"at": deadline.isoformat() if deadline else None})
    keeper._http = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: answer))
    return keeper


def quiet_until(moment: datetime | None) -> Quiet:
    return Quiet(pending=0, handled=0, next_at=moment)


@pytest.mark.parametrize(("wait_ends", "officer_acts", "deadline", "leaps_to"), [
    (NOON + HOUR, NOON + 2 * HOUR, NOON + 3 * HOUR, NOON + HOUR),
    (NOON + 3 * HOUR, NOON + 2 * HOUR, None, NOON + 2 * HOUR),
    (NOON + HOUR, None, None, NOON + HOUR),
    (None, None, NOON + HOUR, NOON + HOUR),
    (NOON - HOUR, None, None, None),
])
async def test_the_earliest_moment_of_all_counts(
    wait_ends: datetime | None, officer_acts: datetime | None, deadline: datetime | None, leaps_to: datetime | None
) -> None:
    calm = _Round({"verification": quiet_until(wait_ends), "officers": quiet_until(officer_acts)})
    moment, overdue = await a_keeper(deadline)._next_moment(calm, SimpleNamespace(legal_now=NOON))
    assert (moment, overdue) == (leaps_to, False)


async def test_it_is_not_quiet_while_an_actor_acts() -> None:
    seen: list[bool] = []

    def act(_: httpx.Request) -> httpx.Response:
        seen.append(keeper.quiet)
        return httpx.Response(200, json={"acted": 0})

    keeper = a_keeper(None)
    keeper._http = httpx.AsyncClient(transport=httpx.MockTransport(act))
    keeper.quiet = True  # as the turn before left it
    calm = _Round({"officers": quiet_until(NOON)})
    await keeper._let_actors_act(calm, SimpleNamespace(legal_now=NOON, leap_number=1))
    assert seen == [False]
