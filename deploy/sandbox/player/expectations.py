"""The closed list of checks a story may expect. Each says what was seen; an unknown one is an error."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from deploy.sandbox.player import checks
from deploy.sandbox.player.record import Record
from deploy.sandbox.player.story import Story

Check = Callable[[Record, dict[str, str]], checks.Seen]


class Expectation(NamedTuple):
    """A line of a story, understood."""

    text: str
    check: Check
    words: dict[str, str]


WITHIN = r"within (?P<n>\d+) (?P<unit>hours|days|working days) of (?P<since>application|acceptance)"

VOCABULARY: tuple[tuple[str, Check], ...] = (
    (rf"granted (?P<benefit>\w+) {WITHIN}, decided by (?P<place>\S+)", checks.granted),
    (rf"refused (?P<benefit>\w+) {WITHIN}, with reasons", checks.refused),
    ((r"paid (?P<benefit>\w+) each month from the month that the place's rule says, "
     r"amount as the rulebook says on that date"), checks.paid_each_month_by_rule),
    ((r"paid (?P<benefit>\w+) (?P<yuan>\d+(?:\.\d\d)?) yuan each month from (?P<first>\d{4}-\d\d) to "
     r"(?P<last>\d{4}-\d\d)"), checks.paid_each_month),
    (rf"paid (?P<benefit>\w+) once, (?P<yuan>\d+(?:\.\d\d)?) yuan, {WITHIN}", checks.paid_once),
    (r"paid nothing", checks.paid_nothing),
    (r"(?P<benefit>\w+) granted unasked, before the closing notice", checks.granted_unasked),
    (r"exactly one application, one decision per item, one payment a month, nothing in a dead letter",
     checks.exactly_one),
    (r"the power company never received income, illness or an identity number", checks.power_company_knows_little),
    (r"no source was asked before (?P<person>\S+) authorised", checks.asked_only_when_authorised),
    (r"person, cause and sum on record, no check, no public notice and no paperwork debt", checks.small_sum_record),
    (r"the case was concluded", checks.concluded),
)


def recognise(text: str) -> Expectation:
    """Understand a line. Raises ValueError for one that is not in the vocabulary."""
    for pattern, check in VOCABULARY:
        match = re.fullmatch(pattern, text.strip())
        if match:
            return Expectation(text, check, match.groupdict())
    raise ValueError(f"Expectation not understood: {text!r}. Known forms are listed in docs/stories.md.")


def recognise_all(story: Story) -> Story:
    """The story itself, every line of its `expect` understood. Raises ValueError, naming the first that is not."""
    for text in story.expect:
        recognise(text)
    return story
