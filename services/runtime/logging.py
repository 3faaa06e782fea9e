"""JSON log lines on standard output, with correlation id and case id, and never an identity number."""

from __future__ import annotations

import json
import logging
import re
import sys
from typing import Any, Final

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

IDENTITY_NUMBER: Final = re.compile(
    r"(?<!\d)[1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?!\d)",
    re.ASCII,
)
"""An 18-character citizen identity number (GB 11643): area, date of birth, sequence, check character."""

MASK: Final = "[identity number removed]"
QUIET_LIBRARIES: Final = {
    # Dozens of lines a second while a broker is away; relay and consumer tell it once per attempt.
    "aiokafka": logging.CRITICAL,
    **dict.fromkeys(("asyncio", "httpx", "httpcore", "uvicorn.access", "sqlalchemy"), logging.WARNING),
}


def configure(service: str, level: str = "INFO") -> None:
    """Send every log line of this process, the libraries' too, through one JSON renderer."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _naming(service),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            render,
        ],
    ))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for library, least in QUIET_LIBRARIES.items():
        logging.getLogger(library).setLevel(least)


def render(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """One JSON line. Masking the finished line reaches nested values and tracebacks alike."""
    return mask(json.dumps(event, default=str, ensure_ascii=False))


def mask(text: str) -> str:
    """The text without anything that looks like an identity number (defence in depth: none should be there)."""
    return IDENTITY_NUMBER.sub(MASK, text)


def _naming(service: str) -> Processor:
    def add_service(_logger: WrappedLogger, _method: str, event: EventDict) -> dict[str, Any]:
        event["service"] = service
        return dict(event)

    return add_service
