"""Recording: `pytest tests/workflows --record-histories` keeps what the real server wrote down of each story."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.addoption("--record-histories", action="store_true", help="write tests/workflows/histories anew")
