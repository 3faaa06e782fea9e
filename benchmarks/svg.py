"""The few shapes our plots are made of, as SVG text: the same numbers give the same file, on every machine.

A plotting library would bring seven packages for three charts, and its files change with its versions.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final, Literal

Anchor = Literal["start", "middle", "end"]
INK: Final = "#222222"
FAINT: Final = "#d9d9d9"
PAPER: Final = "#ffffff"
FONT: Final = "font-family=\"system-ui, sans-serif\" font-size=\"12\""


class Drawing:
    """One plot; coordinates in pixels from the top left."""

    def __init__(self, width: float, height: float, title: str) -> None:
        self._parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(width)} {_n(height)}" role="img" {FONT}>',
            f"<title>{escape(title)}</title>",
            f'<rect width="{_n(width)}" height="{_n(height)}" fill="{PAPER}"/>',
        ]

    def text(self, x: float, y: float, words: str, *, anchor: Anchor = "start", bold: bool = False) -> None:
        """Words, with their baseline at y."""
        weight = ' font-weight="bold"' if bold else ""
        self._parts.append(
            f'<text x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}" fill="{INK}"{weight}>{escape(words)}</text>')

    def bar(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """A filled rectangle."""
        self._parts.append(
            f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" fill="{colour}"/>')

    def line(self, points: Sequence[tuple[float, float]], colour: str = INK, *, width: float = 1,
             dashed: bool = False) -> None:
        """Straight lines from point to point."""
        path = " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
        dashes = ' stroke-dasharray="4 3"' if dashed else ""
        self._parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{_n(width)}"{dashes}/>')

    def __str__(self) -> str:
        return "\n".join([*self._parts, "</svg>", ""])


def _n(number: float) -> str:
    """A coordinate, without digits that only differ between machines."""
    return f"{round(number, 1):g}"
