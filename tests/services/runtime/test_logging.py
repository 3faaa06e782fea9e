"""Log lines are JSON, carry their case and correlation, and never an identity number."""

from __future__ import annotations

import json
import logging as standard_logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from structlog.contextvars import bound_contextvars

from services.runtime import logging
from services.runtime.logging import MASK, mask

NUMBER = "11010519491231002X"


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = standard_logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_line_names_service_event_case_and_correlation(capsys: pytest.CaptureFixture[str]) -> None:
    logging.configure("intake")
    with bound_contextvars(case_id="c", correlation_id="x"):
        structlog.get_logger("a").info("item.accepted", item_id="i")
    (line,) = lines(capsys)
    assert {"service": "intake", "event": "item.accepted", "case_id": "c", "correlation_id": "x", "item_id": "i",
            "level": "info"}.items() <= line.items()


@pytest.mark.parametrize("said", [
    {"event": f"who is {NUMBER}"},
    {"event": "x", "person": {"deep": [NUMBER.lower()]}},
    {"event": "x", "text": f"身份证{NUMBER}号"},
    {"event": "x", "lines": f"one\n{NUMBER}\n"},
])
def test_an_identity_number_is_masked_wherever_it_stands(
    capsys: pytest.CaptureFixture[str], said: dict[str, Any]
) -> None:
    logging.configure("intake")
    structlog.get_logger("a").warning(**said)
    out = capsys.readouterr().out
    assert NUMBER.upper() not in out.upper() and MASK in out


def test_an_identity_number_in_a_librarys_traceback_is_masked(capsys: pytest.CaptureFixture[str]) -> None:
    logging.configure("intake")
    try:
        raise ValueError(NUMBER)
    except ValueError:
        standard_logging.getLogger("some.library").exception("failed")
    out = capsys.readouterr().out
    assert NUMBER not in out and MASK in out


@pytest.mark.parametrize("harmless", [
    "0194369b-3a00-7123-8000-123456789012", "1736125200000000", "500116106", "123456789012345678",
])
def test_ids_and_times_are_left_alone(harmless: str) -> None:
    assert mask(harmless) == harmless
