"""Which part of the work a stack of calls belongs to, by the files it runs through."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

ROOT = f"{Path(__file__).parents[2]}/"
PACKAGES = "site-packages/"
WRAPPERS = ("benchmarks/harness/sampled.py", "services/runtime/process.py", "services/runtime/loops.py")
"""On every stack of the process, so they tell nothing."""

CONSUME, RULES, RECORD, DATABASE, RELAY = "consume", "rules", "record", "database", "relay"
ENCRYPTION, HTTP, OTHER = "encryption", "http", "other"
CATEGORIES = (CONSUME, RULES, RECORD, DATABASE, RELAY, ENCRYPTION, HTTP, OTHER)
"""record: building the events for the outbox; rules: whatever a service's own code does with it all."""

# The relay's own SQL and Kafka are the relay's, wherever on the stack it stands.
RELAYING = ("services/runtime/relay.py", "site-packages/aiokafka/producer/")

# The innermost of these decides. Libraries not named here (pydantic, orjson) belong to whoever calls them.
BY_FILE = (
    ("site-packages/sqlalchemy/", DATABASE),
    ("site-packages/asyncpg/", DATABASE),
    ("site-packages/cryptography/", ENCRYPTION),
    ("site-packages/joserfc/", ENCRYPTION),
    ("services/intake/vault.py", ENCRYPTION),
    ("services/intake/seal_identifiers.py", ENCRYPTION),
    ("services/intake/recipient_keys.py", ENCRYPTION),
    ("services/runtime/tokens.py", ENCRYPTION),
    ("site-packages/aiokafka/", CONSUME),
    ("site-packages/faststream/", CONSUME),
    ("services/runtime/consumer.py", CONSUME),
    ("services/runtime/handling.py", CONSUME),
    ("services/runtime/records.py", CONSUME),
    ("services/runtime/inbox.py", DATABASE),
    ("services/runtime/kept_events.py", DATABASE),
    ("services/runtime/outbox.py", RECORD),
    ("services/runtime/database.py", DATABASE),
    ("services/runtime/connections.py", DATABASE),
    ("services/runtime/process.py", OTHER),  # the event loop itself
    ("services/runtime/loops.py", OTHER),
    ("services/runtime/clock.py", RULES),
    ("services/runtime/", HTTP),
    ("site-packages/uvicorn/", HTTP),
    ("site-packages/fastapi/", HTTP),
    ("site-packages/starlette/", HTTP),
    ("site-packages/httpx/", HTTP),
    ("site-packages/httpcore/", HTTP),
    ("services/", RULES),
    ("deploy/sandbox/actor.py", HTTP),
    ("deploy/sandbox/", RULES),
)
RECORDING = ("services/runtime/database.py", "Transaction.record")


def category(stack: Sequence[tuple[str, str]]) -> str:
    """The category of a stack of (file, function), innermost first."""
    if any(part in file for file, _ in stack for part in RELAYING):
        return RELAY
    for file, function in stack:
        if file.endswith(RECORDING[0]) and function == RECORDING[1]:
            return RECORD
        found = _category_of(file)
        if found is not None:
            return found
    return OTHER


@lru_cache(maxsize=4096)
def is_ours(file: str, function: str) -> bool:
    """Whether a function is the project's own and says something about the work."""
    wraps = function == "<module>" or file.endswith(WRAPPERS)
    return file.startswith(ROOT) and PACKAGES not in file and not wraps


def place(file: str, function: str) -> str:
    """Where that is, without this machine's folders."""
    return f"{_short(file)}:{function}"


@lru_cache(maxsize=4096)
def _category_of(file: str) -> str | None:
    return next((name for part, name in BY_FILE if part in file), None)


@lru_cache(maxsize=4096)
def _short(file: str) -> str:
    if PACKAGES in file:
        return file.rpartition(PACKAGES)[2]
    return file.removeprefix(ROOT) if file.startswith(ROOT) else Path(file).name
