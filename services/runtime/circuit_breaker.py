"""A circuit breaker towards one outside party: who fails again and again is left in peace for a while.

Machine time only. It lives in the process: after a restart it is closed, and the party is tried anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from enum import StrEnum
from typing import Final

import structlog

from contracts.http.waits import Circuit

log = structlog.get_logger(__name__)

FAILURES_MAX: Final = 5
"""More than the quick attempts one matter gets: one person's trouble does not cut off a whole party."""
OPEN_SECONDS: Final = 15.0


class Phase(StrEnum):
    """Where a breaker stands."""

    CLOSED = "closed"
    """Attempts are made."""
    OPEN = "open"
    """Nothing is sent."""
    HALF_OPEN = "half_open"
    """One trial may be made; what becomes of it decides."""


class CircuitOpen(Exception):
    """Nothing may be sent to this party now."""


class CircuitBreaker:
    """Opens after `failures_max` failures in a row; after `open_seconds` one trial is let through."""

    def __init__(
        self,
        party: str,
        *,
        failures_max: int = FAILURES_MAX,
        open_seconds: float = OPEN_SECONDS,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.party = party
        self._failures_max = failures_max
        self._open_seconds = open_seconds
        self._now = now
        self._failures = 0
        self._trial_from: float | None = None
        self._trial_under_way = False

    @property
    def phase(self) -> Phase:
        """Where it stands now."""
        if self._trial_from is None:
            return Phase.CLOSED
        return Phase.OPEN if self.seconds_until_trial > 0 or self._trial_under_way else Phase.HALF_OPEN

    @property
    def seconds_until_trial(self) -> float:
        """How long nothing will be sent; 0 where an attempt may be made."""
        return max(0.0, self._trial_from - self._now()) if self._trial_from is not None else 0.0

    @contextmanager
    def attempt(self, *failures: type[Exception]) -> Generator[None]:
        """Around one attempt. Raises CircuitOpen where none may be made.

        Only `failures` speak against the party. Any other exception says nothing about it.
        """
        if self.phase is Phase.OPEN:
            raise CircuitOpen(self.party)
        self._trial_under_way = self._trial_from is not None
        try:
            yield
        except failures:
            self._failed()
            raise
        else:
            self._succeeded()
        finally:
            self._trial_under_way = False

    def _failed(self) -> None:
        self._failures += 1
        if self._failures >= self._failures_max:
            self._trial_from = self._now() + self._open_seconds
            log.warning("circuit.opened", party=self.party, failures=self._failures, seconds=self._open_seconds)

    def _succeeded(self) -> None:
        if self._trial_from is not None:
            log.info("circuit.closed", party=self.party)
        self._failures, self._trial_from = 0, None


class CircuitBreakers:
    """The breakers of one process, one per party, made when first asked for."""

    def __init__(self, *, open_seconds: float = OPEN_SECONDS) -> None:
        self._open_seconds = open_seconds
        self._by_party: dict[str, CircuitBreaker] = {}

    def towards(self, party: str) -> CircuitBreaker:
        """The breaker towards this party."""
        if party not in self._by_party:
            self._by_party[party] = CircuitBreaker(party, open_seconds=self._open_seconds)
        return self._by_party[party]

    def not_closed(self) -> list[Circuit]:
        """What operators see of parties that are left in peace or about to get their trial."""
        return [
            Circuit(party=breaker.party, phase=breaker.phase, seconds_until_trial=breaker.seconds_until_trial)
            for breaker in self._by_party.values()
            if breaker.phase is not Phase.CLOSED
        ]
