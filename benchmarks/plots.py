"""The page's plots: figures against their goals, the distribution of latencies, where the time goes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.goals import Goal, Verdict
from benchmarks.harness.categories import CATEGORIES
from benchmarks.result import Samples, percent
from benchmarks.svg import FAINT, Drawing

WIDTH: Final = 760
LABELS: Final = 230
RIGHT: Final = 70
TOP: Final = 46
ROW: Final = 30
BAR: Final = 16
BOTTOM: Final = 40
VERDICT_COLOURS: Final = {Verdict.AIM: "#009e73", Verdict.MUST: "#56b4e9", Verdict.MISSED: "#d55e00",
                          Verdict.SHORT: "#999999"}
SIDE_COLOURS: Final = {"system": "#0072b2", "floor": "#999999"}
CATEGORY_COLOURS: Final = dict(zip(CATEGORIES, (
    "#0072b2", "#009e73", "#56b4e9", "#e69f00", "#cc79a7", "#d55e00", "#f0e442", "#bbbbbb"), strict=True))
"""Colours of Okabe and Ito, which people with any colour vision tell apart."""


@dataclass(frozen=True)
class Reached:
    """One figure and its goal."""

    label: str
    reached: float
    goal: Goal
    verdict: Verdict


def against_goals(title: str, axis: str, rows: Sequence[Reached]) -> str:
    """A bar per figure from 0, with a solid mark at what must be and a dashed one at what is aimed at."""
    most = max([1.0, *(row.reached for row in rows), *(row.goal.must or row.goal.aim for row in rows)]) * 1.05
    height = TOP + ROW * len(rows) + BOTTOM
    drawing = Drawing(WIDTH, height, title)
    scale = (WIDTH - LABELS - RIGHT) / most
    drawing.text(10, 22, title, bold=True)
    _ticks(drawing, height - BOTTOM, {LABELS + tick * scale: f"{tick:g}" for tick in _round_ticks(most)}, axis)
    for number, row in enumerate(rows):
        y = TOP + ROW * number
        drawing.text(LABELS - 8, y + BAR - 3, row.label, anchor="end")
        drawing.bar(LABELS, y, row.reached * scale, BAR, VERDICT_COLOURS[row.verdict])
        drawing.text(WIDTH - 10, y + BAR - 3, f"{row.reached:.3g}", anchor="end")
        for mark, dashed in ((row.goal.must, False), (row.goal.aim, True)):
            if mark is not None:
                x = LABELS + mark * scale
                drawing.line([(x, y - 5), (x, y + BAR + 5)], width=2, dashed=dashed)
    return str(drawing)


def distributions(title: str, latencies_ms: Mapping[str, Sequence[float]]) -> str:
    """How many of the cases took at most so long, by side; the axis of time is logarithmic."""
    height, left, bottom = 290, 60, 250
    drawing = Drawing(WIDTH, height, title)
    drawing.text(10, 22, title, bold=True)
    values = [max(value, 0.1) for side in latencies_ms.values() for value in side]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    scale = (WIDTH - left - RIGHT) / max(1, high - low)

    def x_of(milliseconds: float) -> float:
        return left + (math.log10(max(milliseconds, 0.1)) - low) * scale

    _ticks(drawing, bottom, {x_of(10.0**power): f"{10.0**power:g}" for power in range(low, high + 1)}, "ms")
    for share in (0, 50, 90, 100):
        y = bottom - (bottom - TOP) * share / 100
        drawing.line([(left, y), (WIDTH - RIGHT, y)], FAINT)
        drawing.text(left - 6, y + 4, f"{share} %", anchor="end")
    for number, (side, quantiles) in enumerate(latencies_ms.items()):
        drawing.line([(x_of(value), bottom - (bottom - TOP) * place / (len(quantiles) - 1))
                      for place, value in enumerate(quantiles)], SIDE_COLOURS[side], width=2)
        drawing.bar(WIDTH - RIGHT - 90, TOP + 8 + 20 * number, 12, 12, SIDE_COLOURS[side])
        drawing.text(WIDTH - RIGHT - 72, TOP + 18 + 20 * number, side)
    return str(drawing)


def where_time_goes(title: str, samples: Mapping[str, Samples]) -> str:
    """A bar per process, cut by category; its length is its share of all samples."""
    legend = 28
    height = TOP + legend + ROW * len(samples) + BOTTOM
    drawing = Drawing(WIDTH, height, title)
    drawing.text(10, 22, title, bold=True)
    for number, (name, colour) in enumerate(CATEGORY_COLOURS.items()):
        drawing.bar(10 + 92 * number, TOP - 8, 12, 12, colour)
        drawing.text(26 + 92 * number, TOP + 2, name)
    everything = sum(process.samples for process in samples.values()) or 1
    most = max(process.samples for process in samples.values()) / everything * 100 or 1
    scale = (WIDTH - LABELS - RIGHT) / most
    _ticks(drawing, height - BOTTOM, {LABELS + tick * scale: f"{tick:g} %" for tick in _round_ticks(most)},
           "of the processor time of all these processes", begin=TOP + legend - 8)
    for number, (name, process) in enumerate(samples.items()):
        x, y = float(LABELS), TOP + legend + ROW * number
        drawing.text(LABELS - 8, y + BAR - 3, name, anchor="end")
        for category, colour in CATEGORY_COLOURS.items():
            width = percent(process.categories.get(category, 0), everything) * scale
            drawing.bar(x, y, width, BAR, colour)
            x += width
    return str(drawing)


def _ticks(drawing: Drawing, end: float, labels: Mapping[float, str], axis: str, begin: float = TOP - 8) -> None:
    for x, words in labels.items():
        drawing.line([(x, begin), (x, end)], FAINT)
        drawing.text(x, end + 15, words, anchor="middle")
    drawing.text(WIDTH - 10, end + 32, axis, anchor="end")


def _round_ticks(most: float) -> list[float]:
    """At most seven round numbers from 0 to the most."""
    step = 10.0 ** math.floor(math.log10(most))
    step = next(step * part for part in (0.1, 0.2, 0.5, 1, 2, 5) if most / (step * part) <= 6)
    return [round(step * number, 10) for number in range(int(most / step) + 1)]
