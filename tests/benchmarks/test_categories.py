"""The place each sample is counted at."""

from __future__ import annotations

import pytest

from benchmarks.harness.categories import category, is_ours, place

PACKAGES = "/anywhere/site-packages"
SERVICES = "/anywhere/services"


@pytest.mark.parametrize(("stack", "expected"), [
    ([("/x/json.py", "dumps"), (f"{PACKAGES}/asyncpg/connection.py", "execute"),
      (f"{SERVICES}/approval/awards.py", "start_awards")], "database"),
    ([(f"{PACKAGES}/asyncpg/connection.py", "fetch"), (f"{SERVICES}/runtime/relay.py", "Relay.publish")], "relay"),
    ([(f"{PACKAGES}/pydantic/main.py", "model_validate_json"), (f"{SERVICES}/runtime/records.py", "read_event"),
      (f"{SERVICES}/runtime/consumer.py", "Consumers._on_batch")], "consume"),
    ([("/anywhere/contracts/envelope.py", "EventEnvelope.of"),
      (f"{SERVICES}/runtime/database.py", "Transaction.record"),
      (f"{SERVICES}/approval/small_sums.py", "give")], "record"),
    ([(f"{SERVICES}/rulebook/small_sum.py", "small_sum_cap_fen"),
      (f"{SERVICES}/runtime/handling.py", "Handling._dispatch")], "rules"),
    ([(f"{PACKAGES}/joserfc/jwe.py", "encrypt_compact"), (f"{SERVICES}/intake/seal_identifiers.py", "_seal")],
     "encryption"),
    ([("/x/asyncio/runners.py", "Runner.run"), (f"{SERVICES}/runtime/process.py", "run")], "other"),
])
def test_the_innermost_known_place_decides_the_category(stack: list[tuple[str, str]], expected: str) -> None:
    assert category(stack) == expected


def test_libraries_inside_the_project_folder_are_not_ours() -> None:
    assert is_ours(category.__code__.co_filename, "category")
    root = category.__code__.co_filename.removesuffix("benchmarks/harness/categories.py")
    assert not is_ours(f"{root}.venv/lib/python3/site-packages/pydantic/main.py", "BaseModel.__init__")
    assert place(f"{root}.venv/lib/python3/site-packages/pydantic/main.py", "f") == "pydantic/main.py:f"
