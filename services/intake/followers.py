"""Who may follow an item: to all others it does not exist."""

from __future__ import annotations

from services.intake.rules import OFFICER
from services.runtime.tokens import Caller


def may_follow(caller: Caller, *, submitted_by: str, owner: str) -> bool:
    """The one who asked first (subject of that token), and the officers of the place that decides."""
    return caller.subject == submitted_by or (caller.role == OFFICER and caller.may_see(owner))
