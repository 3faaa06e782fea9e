"""The floor's pipelines: who reads what, how many rows per case it writes, and what it publishes.

Rows per case and stage are as many as the system writes; `tests/benchmarks` counts both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from benchmarks.harness.journeys import Journey


@dataclass(frozen=True)
class Stage:
    """One hop: the topic it reads, rows per case by table, and the topics it writes one event per case to.

    Topics are named without the prefix that keeps one run's apart from another's.
    """

    name: str
    consumes: str | None
    rows: Mapping[str, int]
    publishes: tuple[str, ...] = ()
    asks_sources: bool = False
    """Whether it puts one bulk request per batch to each data source before it writes."""


@dataclass(frozen=True)
class Pipeline:
    """Stages in order, and the tables at which a case's arrival is read."""

    stages: tuple[Stage, ...]
    journey: Journey

    def stage(self, name: str) -> Stage:
        """The stage of this name. Raises KeyError."""
        return {stage.name: stage for stage in self.stages}[name]

    @property
    def topics(self) -> tuple[str, ...]:
        """Every topic that is written."""
        return tuple(topic for stage in self.stages for topic in stage.publishes)


EMERGENCY: Final = Pipeline(
    (
        Stage("intake", None, {"persons": 1, "cases": 1, "households": 1, "members": 1, "applications": 1,
                               "items": 1, "vault_entries": 4}, ("application", "item")),
        Stage("approval", "item", {"items": 1, "decisions": 1, "awards": 1},
              ("decision", "award")),
        Stage("disbursement", "award", {"awards": 1, "payments": 1, "postings": 2}, ("payment",)),
        Stage("bank", "payment", {"vault_accesses": 1, "accepted": 1}),
    ),
    Journey("intake.cases", {"approval": "approval.awards", "disbursement": "disbursement.awards",
                             "bank": "bank.accepted"}),
)
DIBAO: Final = Pipeline(
    (
        Stage("intake", None, {"persons": 1, "cases": 1, "households": 1, "members": 1, "applications": 1,
                               "items": 1, "authorisations": 1, "idempotency_keys": 1, "vault_entries": 5},
              ("application", "item", "authorisation")),
        Stage("verification", "item", {"means_checks": 1, "members": 1, "authorisations": 1, "queries": 7,
                                       "visits": 1, "verifications": 1, "evidence": 8, "vault_accesses": 7},
              ("means_check", "visit"), asks_sources=True),
        Stage("visit", "visit", {"reports": 1, "evidence": 1}, ("visit_reported", "verified")),
        Stage("approval", "verified", {"items": 1, "evidence": 1, "decisions": 1, "notices": 1},
              ("decision", "notice")),
    ),
    Journey("intake.cases", {"verification": "visit.evidence", "approval": "approval.decisions"}),
)
PIPELINES: Final = {"emergency": EMERGENCY, "dibao": DIBAO}
