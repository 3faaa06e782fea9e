"""How many records a consumer may park before it is taken that the fault is not theirs."""

from __future__ import annotations

from typing import Final

PARKED_AT_MOST: Final = 100
HANDLED_FOR_ONE: Final = 10
"""So many handled records make up for one parked: one bad in ten may go on for ever, more than that may not."""


class TooManyDeadLetters(Exception):
    """Records fail in a flood: stop consuming instead of filling the dead letters."""


class DeadLetterLimit:
    """Counts what is parked against what is handled."""

    def __init__(self, at_most: int = PARKED_AT_MOST) -> None:
        self._at_most = at_most
        self._parked = 0.0

    def allows(self, count: int) -> bool:
        """Whether so many more may be parked."""
        return self._parked + count <= self._at_most

    def count(self, *, handled: int, parked: int) -> None:
        """Note what became of some records."""
        self._parked = max(0.0, self._parked + parked - handled / HANDLED_FOR_ONE)

    def check(self, service: str) -> None:
        """Raise TooManyDeadLetters unless one more may be parked."""
        if not self.allows(1):
            raise TooManyDeadLetters(
                f"{service} has stopped consuming: too many records could not be handled, {self._at_most} are parked. "
                f"Read why (onething dead-letters list), mend it, then run: onething dead-letters resume {service}"
            )
