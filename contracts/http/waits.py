"""What a service waits for from outside parties: `GET /waits`, for operators."""

from __future__ import annotations

from pydantic import AwareDatetime, Field

from contracts.http.message import Answer


class Wait(Answer):
    """What waits on one party for one reason."""

    party: str = Field(description="`source:<name>` or `bank`.")
    reason: str
    since: AwareDatetime = Field(description="Legal time since which the oldest of them waits.")
    next_try_at: AwareDatetime | None = Field(description="Legal time of the next try; null: only when asked to.")
    cases_count: int


class Circuit(Answer):
    """A party that is left in peace for the moment, or is about to get its one trial."""

    party: str
    phase: str = Field(description="`open` or `half_open`.")
    seconds_until_trial: float


class Waits(Answer):
    """`GET /waits`: nothing here is lost, and nothing is tried before its moment."""

    waits: list[Wait]
    circuits: list[Circuit] = Field(description="Only those that are not closed.")
