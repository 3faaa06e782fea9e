"""How the bank may be told to misbehave, for tests: it then breaks promises a real bank might break."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Amounts = frozenset[int]
Requests = Annotated[int, Field(ge=0)]


class Manner(BaseModel):
    """`POST /manner`: replaces the one before; the empty one is proper again. Sums in fen pick out orders."""

    model_config = ConfigDict(extra="forbid")

    away: bool = False
    """It takes nothing: HTTP 503."""
    takes_without_answer: Requests = 0
    """So many requests are taken, and HTTP 504 is what comes back."""
    refuses_amounts: Amounts = frozenset()
    """A batch with such a sum is refused as a whole (422), and nothing of it is taken."""
    fails_on_amounts: Amounts = frozenset()
    """A batch with such a sum breaks it (500), and nothing of it is taken."""
    leaves_out_amounts: Amounts = frozenset()
    """Of such a sum nothing is said, and nothing is taken."""
    settles_twice_amounts: Amounts = frozenset()
    """Such a sum stands on the statement twice, each time with a line id of its own."""
    talks_of_strangers: bool = False
    """It answers about an order of somebody else too."""
    babbles: bool = False
    """It takes the orders and answers with what is no message."""
