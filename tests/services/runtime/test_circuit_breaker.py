"""A party that fails in a row is left in peace; after a time one trial decides; others' errors count for nothing."""

from __future__ import annotations

import pytest

from services.runtime.circuit_breaker import CircuitBreaker, CircuitBreakers, CircuitOpen, Phase


class Away(Exception):
    pass


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker("bank", failures_max=3, open_seconds=10, now=clock)


def attempt(breaker: CircuitBreaker, error: Exception | None = None) -> None:
    with breaker.attempt(Away):
        if error is not None:
            raise error


def fail(breaker: CircuitBreaker, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(Away):
            attempt(breaker, Away())


def test_it_opens_after_so_many_failures_in_a_row_and_then_sends_nothing(breaker: CircuitBreaker):
    fail(breaker, 2)
    assert breaker.phase is Phase.CLOSED
    fail(breaker)
    assert (breaker.phase, breaker.seconds_until_trial) == (Phase.OPEN, 10)
    with pytest.raises(CircuitOpen):
        attempt(breaker)


def test_a_success_between_starts_the_count_anew(breaker: CircuitBreaker):
    fail(breaker, 2)
    attempt(breaker)
    fail(breaker, 2)
    assert breaker.phase is Phase.CLOSED


def test_after_its_time_one_trial_closes_it_or_opens_it_for_as_long_again(breaker: CircuitBreaker, clock: Clock):
    fail(breaker, 3)
    clock.now += 10
    assert breaker.phase is Phase.HALF_OPEN
    fail(breaker)
    assert (breaker.phase, breaker.seconds_until_trial) == (Phase.OPEN, 10)
    clock.now += 10
    attempt(breaker)
    assert breaker.phase is Phase.CLOSED
    fail(breaker, 2)
    assert breaker.phase is Phase.CLOSED


def test_while_the_trial_is_under_way_no_second_one_is_made(breaker: CircuitBreaker, clock: Clock):
    fail(breaker, 3)
    clock.now += 10
    with breaker.attempt(Away), pytest.raises(CircuitOpen):
        attempt(breaker)
    assert breaker.phase is Phase.CLOSED


def test_an_error_that_is_not_the_party_s_changes_nothing(breaker: CircuitBreaker, clock: Clock):
    for _ in range(5):
        with pytest.raises(ValueError):
            attempt(breaker, ValueError())
    assert breaker.phase is Phase.CLOSED
    fail(breaker, 3)
    clock.now += 10
    with pytest.raises(ValueError):
        attempt(breaker, ValueError())
    assert breaker.phase is Phase.HALF_OPEN, "the trial is still to be made"


def test_each_party_has_its_own_and_operators_see_only_those_not_closed():
    breakers = CircuitBreakers()
    fail(breakers.towards("bank"), 5)
    assert breakers.towards("source:bank").phase is Phase.CLOSED
    assert [(one.party, one.phase) for one in breakers.not_closed()] == [("bank", "open")]
