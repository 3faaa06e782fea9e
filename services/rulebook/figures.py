"""The figures of a place on a day, as formulas read them: known, not made here, or not known."""
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from services.rulebook.openfisca import ParameterNotFoundError

MONTHS_PER_YEAR = 12
PERCENT = 100
FEN_PER_YUAN = 100


class RuleUnknown(LookupError):
    """A rule that a formula needs is not known in this place on this day. It is never replaced by a default."""

    def __init__(self, path: str) -> None:
        super().__init__(f"Parameter {path}: not known here on this day. Add it, with its reference.")
        self.path = path


class Figures:
    """Figures by dotted path, such as `dibao.standard.urban`.

    A path that nobody says anything of is a rule that the place does not have; a path that was looked for and not
    found (not_found.yaml) is a rule that is not known, which is not the same.
    """

    def __init__(self, population: Any, parameters: Any, period: Any) -> None:
        self._at_instant = parameters(period)
        self._system = population.simulation.tax_benefit_system
        self._day = period.start.date

    def find(self, path: str) -> Any:
        """The figure, or None where the place has no such rule. Raises RuleUnknown."""
        node = self._at_instant
        try:
            for name in path.split("."):
                node = getattr(node, name)
        except ParameterNotFoundError:
            if self.not_found(path):
                raise RuleUnknown(path) from None
            return None
        return node

    def find_or_finding(self, path: str) -> Any:
        """As `find`; None also where it was looked for and not found, for the caller asks an officer's finding then."""
        try:
            return self.find(path)
        except RuleUnknown:
            return None

    def get(self, path: str) -> Any:
        """The figure. Raises RuleUnknown where there is none, whatever the reason."""
        figure = self.find(path)
        if figure is None:
            raise RuleUnknown(path)
        return figure

    def not_found(self, path: str) -> bool:
        """Whether it was looked for and not found."""
        return any(row.covers(self._day) and row.names(path) for row in self._system.not_found)

    def fen_month(self, path: str) -> float:
        """A sum a month, also where it is published a year (`<path>_year`); then it may be no whole fen."""
        month = self.find_published(path)
        if month is None:
            raise RuleUnknown(path)
        return month

    def find_published(self, path: str) -> float | None:
        """As `fen_month`; None where the place publishes neither."""
        month = self.find_or_finding(path)
        if month is not None:
            return month
        year = self.find(f"{path}_year")
        if year is None and self.not_found(path):
            raise RuleUnknown(path)
        return None if year is None else year / MONTHS_PER_YEAR

    def by_standard(self, urban: Any, path: str) -> Any:
        """The sum a month of each household: `<path>.urban` or `<path>.rural`. Only those that occur must be known."""
        return _either(urban, self.fen_month, path)

    def words_by_standard(self, urban: Any, path: str) -> Any:
        """As `by_standard`, of figures that are words."""
        return _either(urban, self.get, path)

def below(comparison: str, value: Any, limit: Any) -> Any:
    """Whether a value is within an upper limit: `below` it, or `at_or_below`."""
    return value <= limit if comparison == "at_or_below" else value < limit


def above(comparison: str, value: Any, limit: Any) -> Any:
    """Whether a value reaches a lower limit: `above` it, or `at_or_above`."""
    return value >= limit if comparison == "at_or_above" else value > limit


def half_up(amount_fen: Any, to_fen: int = 1) -> Any:
    """Round to whole fen, or to a whole yuan (100), halves upwards.

    Hazard: a sum in floating point lies a hair beside the half it means; a thousandth of a fen is nobody's money.
    """
    return np.floor(np.round(amount_fen / to_fen, 6) + 0.5) * to_fen


def _either(urban: Any, read: Callable[[str], Any], path: str) -> Any:
    if urban.all():
        return np.full(urban.shape, read(f"{path}.urban"))
    if not urban.any():
        return np.full(urban.shape, read(f"{path}.rural"))
    return np.where(urban, read(f"{path}.urban"), read(f"{path}.rural"))
