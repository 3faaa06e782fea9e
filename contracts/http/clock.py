"""Quiet and the clock: how the keeper of demo and tests knows that nothing is under way."""

from __future__ import annotations

from pydantic import AwareDatetime

from contracts.http.message import Answer, Command


class Quiet(Answer):
    """`GET /quiet` of every process. `pending` is work under way; `handled` only ever rises."""

    pending: int
    handled: int
    next_at: AwareDatetime | None = None
    """The next legal moment at which there is something to do: an actor's next act, a wait to be ended."""
    drives: bool = False
    """Of an actor: True while it wants legal time to go on."""


class Act(Command):
    """`POST /act` of an actor: do what is due by `legal_now`. Actors never sleep."""

    legal_now: AwareDatetime
    leap_number: int


class Acted(Answer):
    """How many things an actor did."""

    acted: int
