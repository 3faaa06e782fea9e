"""What a measure finds: figures beside their floor, and what the page draws of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import ceil

from pydantic import BaseModel, ConfigDict

DIGITS = 3
P50, P99 = 0.5, 0.99
QUANTILES = 200
"""Points of a distribution that are kept for its plot."""


class Figure(BaseModel):
    """One figure; `floor` and `ratio` are None for what has none."""

    model_config = ConfigDict(frozen=True)

    value: float
    floor: float | None
    ratio: float | None
    unit: str


class Samples(BaseModel):
    """What one process was seen doing: counts of samples, in all and by what was on the stack."""

    samples: int
    categories: dict[str, int]
    itself: dict[str, int]
    """By the innermost function of ours, with all the libraries it calls."""
    on_stack: dict[str, int] = {}
    """By every function of ours on the stack."""
    innermost: dict[str, int] = {}
    """By the innermost function, whoever's it is."""
    stacks: dict[str, int] = {}
    """By the whole stack, outermost first, separated by semicolons."""

    def of_note(self, functions: int) -> Samples:
        """Only what the page shows: the categories and the functions of ours that take most."""
        return Samples(samples=self.samples, categories=self.categories,
                       itself=dict(Counter(self.itself).most_common(functions)))


class Result(BaseModel):
    """What one run of one measure found."""

    figures: dict[str, Figure]
    samples: dict[str, Samples] = {}
    """By process, where it was looked at."""
    latencies_ms: dict[str, list[float]] = {}
    """By side: evenly spaced quantiles of the distribution."""
    notes: list[str] = []
    """What a reader must know of this run: its sizes, what else was seen."""


def beside(value: float, floor: float | None, unit: str) -> Figure:
    """A figure beside its floor."""
    ratio = round(value / floor, DIGITS) if floor else None
    return Figure(value=round(value, DIGITS), floor=None if floor is None else round(floor, DIGITS), ratio=ratio,
                  unit=unit)


def alone(value: float, unit: str) -> Figure:
    """A figure that has no floor."""
    return beside(value, None, unit)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of the values does not exceed (nearest rank)."""
    return sorted(values)[max(0, ceil(share * len(values)) - 1)]


def distribution(values: Sequence[float]) -> list[float]:
    """The quantiles kept for the plot, smallest first."""
    ordered = sorted(values)
    return [round(ordered[min(len(ordered) - 1, number * len(ordered) // QUANTILES)], 2) for number in range(QUANTILES)]


def percent(part: int, whole: int) -> float:
    """A share, in percent."""
    return round(100 * part / whole, 1) if whole else 0.0


def shares(samples: Mapping[str, Samples], categories: Sequence[str]) -> dict[str, float]:
    """Percent of all samples by category, over all processes."""
    counted: Counter[str] = Counter()
    for process in samples.values():
        counted.update(process.categories)
    return {name: percent(counted[name], counted.total()) for name in categories}
