"""docs/faults.md lists exactly the cases that tests/faults has, and none of them is broken."""

from __future__ import annotations

from tests.faults.page import PAGE, collected, render
from tests.faults.tables import BROKEN


def skeleton(page: str) -> list[str]:
    """The page without what was found: each row by its name and its number of cells."""
    return [f"{line.split(' | ')[0]} {line.count(' | ')}" if line.startswith("| ") else line
            for line in page.splitlines()]


def test_the_page_lists_the_cases_there_are() -> None:
    assert skeleton(PAGE.read_text("utf-8")) == skeleton(render(collected(), {})), "run `make faults`"


def test_nothing_on_the_page_is_broken() -> None:
    assert BROKEN not in PAGE.read_text("utf-8").partition("\n## ")[2]
