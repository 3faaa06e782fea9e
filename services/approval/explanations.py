"""What a decision rests on, kept with it: reasons in words, each figure of the law, each fact with its origin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from contracts.events.decision import Reason
from contracts.facts import Fact, strongest
from services.approval import rules
from services.rulebook import AmountLine, Assessment, ParameterUsed


class Explanation(BaseModel):
    """Stored as JSON with the decision; officers read it with `GET /decisions/{id}`."""

    model_config = ConfigDict(frozen=True)

    reasons: list[Reason]
    lines: list[AmountLine] = []
    figures: list[ParameterUsed]
    """Each figure of the law: value, from which day, in which document, and whether that was verified."""
    facts: list[Fact] = []
    """The one fact that stood for each person and name, with its origin and as-of date."""
    trace: dict[str, Any] = {}
    """Every intermediate value of the calculation."""

    def stored(self) -> dict[str, Any]:
        """As JSON values."""
        return self.model_dump(mode="json")


def of_assessment(assessment: Assessment, facts: Sequence[Fact]) -> Explanation:
    """Why the rulebook proposes what it proposes."""
    return Explanation(
        reasons=assessment.reasons, lines=assessment.lines, figures=assessment.parameters,
        facts=list(strongest(list(facts)).values()), trace=assessment.trace,
    )


def of_small_sum(cap: ParameterUsed) -> Explanation:
    """Why an officer may give a small sum at once."""
    most = rules.yuan(int(str(cap.value)))
    return Explanation(
        reasons=[Reason(
            code="small_sum",
            zh=f"小额快救:登记人员、原因和金额后当即发给,不超过当地一个月低保标准({most}元);记录留存备查。",
            en=f"Small sum at once: person, cause and sum are registered, at most one month of the local dibao "
               f"({most} yuan); a record is kept.",
            clause=cap.cited,
        )],
        figures=[cap],
    )
