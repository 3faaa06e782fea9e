"""Approve first, papers afterwards (先批后补): whether a benefit may be paid before a check, and what is owed for it.

Only where a rule of the place or the nation allows it: nobody enters dibao so (民发〔2021〕57号 28). Plain look-ups.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Final

from pydantic import Field

from services.rulebook.dated_parameters import ParameterUsed, find
from services.rulebook.models import Answer, Term
from services.rulebook.places import lineage, rule_place
from services.rulebook.small_sum import small_sum_cap_fen

HOURS_PER_DAY: Final = 24


class ApproveFirst(Answer):
    """What may be given before the papers are there, and what is owed for it."""

    allowed: bool
    cap_fen: int | None = Field(default=None, description="The most of a small sum at once; None where none is known.")
    record: tuple[str, ...] = Field(default=(), description="What is recorded and kept.")
    papers: tuple[str, ...] = Field(default=(), description="What is owed afterwards; none where a record is enough.")
    papers_due: Term | None = Field(default=None, description="None where none is owed, or no term was read.")
    act_within: Term | None = Field(default=None, description="From the day it is known; hours as whole days.")
    clauses: dict[str, ParameterUsed] = Field(description="The rule behind each of these, by its name.")


def approve_first(benefit: str, place: str, on: date, *, standard: str) -> ApproveFirst:
    """What a place allows on the day; `standard` is `urban` or `rural`. Raises UnknownPlace."""
    return _approve_first(benefit, rule_place(place), on, standard)


@lru_cache(maxsize=10_000)
def _approve_first(benefit: str, place: str, on: date, standard: str) -> ApproveFirst:
    allowed = find(f"{benefit}.approve_first.allowed", place, on)
    if allowed is None or not allowed.value:
        return ApproveFirst(allowed=False, clauses=_told({"allowed": allowed}))
    owed = _nearest(place, find(f"{benefit}.emergency.papers_afterwards", place, on),
                    find(f"{benefit}.small_sum.papers_due", place, on))
    are_owed = owed is not None and bool(owed.value)
    small_sum = find(f"{benefit}.small_sum.months_of_dibao", place, on)
    rules = {
        "allowed": allowed,
        "cap_fen": small_sum_cap_fen(place, standard, on) if small_sum else None,
        "record": find(f"{benefit}.small_sum.record", place, on),
        "papers_owed": owed,
        "papers": find(f"{benefit}.approve_first.papers", place, on) if are_owed else None,
        "papers_due": find(f"{benefit}.emergency.papers_within", place, on) if are_owed else None,
        "act_within": _nearest(place, find(f"{benefit}.emergency.act_within", place, on),
                               find(f"{benefit}.small_sum.pay_within", place, on)),
    }
    return ApproveFirst(
        allowed=True, cap_fen=rules["cap_fen"].whole_number if rules["cap_fen"] else None,
        record=_names(rules["record"]), papers=_names(rules["papers"]), papers_due=_term(rules["papers_due"]),
        act_within=_term(rules["act_within"]), clauses=_told(rules),
    )


def _nearest(place: str, *rules: ParameterUsed | None) -> ParameterUsed | None:
    """Of rules about the same thing the nearest area's; of one area's the newest."""
    around = [area.code for area in lineage(place)]
    return max((rule for rule in rules if rule is not None), default=None,
               key=lambda rule: (-around.index(rule.place), rule.from_date))


def _told(rules: Mapping[str, ParameterUsed | None]) -> dict[str, ParameterUsed]:
    return {name: rule for name, rule in rules.items() if rule is not None}


def _names(rule: ParameterUsed | None) -> tuple[str, ...]:
    return () if rule is None else rule.names


def _term(rule: ParameterUsed | None) -> Term | None:
    """Hazard: a place says 24 hours where another says days; a part of a day counts as one."""
    if rule is None:
        return None
    if rule.unit == "hours":
        return Term(days=-(-rule.whole_number // HOURS_PER_DAY), unit="calendar_days")
    return Term.model_validate({"days": rule.whole_number, "unit": rule.unit})
