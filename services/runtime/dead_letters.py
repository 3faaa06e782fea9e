"""Records nobody could handle, parked whole with the reason, so that they can be retried once that is mended.

What lies behind a parked record, of its case on its topic, is parked too and waits for it: so that a retry acts in the
order in which things happened. Nobody else waits.

Whatever went wrong with a record, it may name a person: it is stored sealed. The list tells reason and origin only;
whoever opens a record is logged.
"""

from __future__ import annotations

import base64
import traceback
from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from pydantic import BaseModel, Field

from contracts.envelope import EventEnvelope, new_id
from services.runtime.logging import mask
from services.runtime.problems import PermanentError
from services.runtime.records import Record, StoredRecord, case_by_key
from services.runtime.sealed_records import name_bytes, open_sealed, seal

if TYPE_CHECKING:
    from services.runtime.context import Runtime
    from services.runtime.database import Database, Transaction

COLUMNS: Final = (
    "id, topic, partition, record_offset, case_id, reason_code, reason, first_failed_at, attempts, retried_at"
)
WAITS_BEHIND: Final = "waits_behind"
IN_ORDER: Final = "record_offset is not null, record_offset, id"
"""How the letters of one case and topic came. Those without an offset were kept for their cause, so they are older."""


class DeadLetterNotFound(LookupError):
    """There is no dead letter with that id (any more)."""


class WaitsBehind(PermanentError):
    """Nothing is wrong with this record: one before it, of its case on its topic, is parked."""

    def __init__(self, detail: str = "A record of the same case before it is parked. Retry that one.") -> None:
        super().__init__(detail, code=WAITS_BEHIND)


class DeadLetter(BaseModel):
    """Where a parked record came from and why it was parked."""

    id: UUID
    topic: str
    partition: int | None = Field(description="None: the event had been kept for its cause.")
    offset: int | None
    case_id: UUID | None = Field(description="The case in whose order it lies; None where its key names none.")
    reason_code: str
    reason: str = Field(description="What is wrong, never the record's content.")
    first_failed_at: datetime = Field(description="Machine time.")
    attempts: int
    retried_at: datetime | None = Field(default=None, description="When an operator last tried. Machine time.")


class OpenedDeadLetter(DeadLetter):
    """A dead letter with its record, byte for byte."""

    key: str | None = Field(description="base64")
    headers: list[tuple[str, str | None]] = Field(description="Values in base64; in a name, \\x.. is no UTF-8.")
    value: str | None = Field(description="base64")


def reason_for(error: Exception) -> tuple[str, str]:
    """Code and sentence for a failure.

    Hazard: any other message than our own may repeat what was sent (SQL, parsers), so only the place is told.
    """
    if isinstance(error, PermanentError):
        return error.code, mask(error.detail)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "site-packages" not in frame.filename]
    place = f" at {'/'.join(PurePath(frames[-1].filename).parts[-3:])}:{frames[-1].lineno}" if frames else ""
    return "handler_failed", f"Handling raised {type(error).__name__}{place}. Mend the cause, then retry."


async def park(tx: Transaction, record: Record, error: Exception, *, attempts: int = 1) -> bool:
    """Park a record in the open transaction; False if this very record is parked already."""
    code, reason = reason_for(error)
    parked = await tx.driver.fetchval(
        f"insert into {tx.service}.dead_letters "
        "(id, topic, partition, record_offset, case_id, sealed_record, reason_code, reason, attempts) "
        "values ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
        "on conflict (topic, partition, record_offset) do nothing returning id",
        new_id(), record.topic, record.partition, record.offset, None if code == "key_wrong" else case_by_key(record),
        seal(record, tx.runtime.settings.payload_key), code, reason, attempts,
    )
    return parked is not None


async def behind_parked(tx: Transaction, records: Sequence[tuple[Record, EventEnvelope[Any]]]) -> set[int]:
    """Which of these records (by their place among them) have a parked one before them. The cases must be locked."""
    rows = await tx.driver.fetch(
        f"select case_id, topic, partition, record_offset from {tx.service}.dead_letters where case_id = any($1)",
        [event.case_id for _, event in records],
    )
    if not rows:
        return set()
    parked: dict[tuple[UUID, str], list[Any]] = {}
    for row in rows:
        parked.setdefault((row["case_id"], row["topic"]), []).append(row)
    return {
        place
        for place, (record, event) in enumerate(records)
        if any(_lies_before(row, record) for row in parked.get((event.case_id, record.topic), ()))
    }


async def listing(database: Database, limit: int = 100) -> list[DeadLetter]:
    """The oldest dead letters of this service, without their records."""
    async with database.transaction() as tx:
        rows = await tx.driver.fetch(
            f"select {COLUMNS} from {database.service}.dead_letters order by id limit $1", limit
        )
    return [DeadLetter.model_validate(_told(row)) for row in rows]


async def show(runtime: Runtime, letter_id: UUID) -> OpenedDeadLetter:
    """One dead letter, its record opened. Raises DeadLetterNotFound, or CannotOpen."""
    async with runtime.database.transaction() as tx:
        letter, record = await load(tx, letter_id)
    return OpenedDeadLetter(
        **letter.model_dump(),
        key=_base64(record.key), value=_base64(record.value),
        headers=[(name_bytes(name).decode("utf-8", "backslashreplace"), _base64(value))
                 for name, value in record.headers],
    )


async def load(tx: Transaction, letter_id: UUID, *, lock: bool = False) -> tuple[DeadLetter, StoredRecord]:
    """One dead letter and its record. Raises DeadLetterNotFound, or CannotOpen."""
    row = await tx.driver.fetchrow(
        f"select {COLUMNS}, sealed_record from {tx.service}.dead_letters where id = $1 {'for update' if lock else ''}",
        letter_id,
    )
    if row is None:
        raise DeadLetterNotFound(f"Dead letter {letter_id}: {tx.service} has none with that id.")
    letter = DeadLetter.model_validate(_told(row))
    record = open_sealed(row["sealed_record"], tx.runtime.settings.payload_key,
                         topic=letter.topic, partition=letter.partition, offset=letter.offset)
    return letter, record


async def first_of_case(tx: Transaction, topic: str, case_id: UUID) -> DeadLetter | None:
    """The first letter of a case on a topic, for which the others wait."""
    row = await tx.driver.fetchrow(
        f"select {COLUMNS} from {tx.service}.dead_letters where topic = $1 and case_id = $2 "
        f"order by {IN_ORDER} limit 1",
        topic, case_id,
    )
    return None if row is None else DeadLetter.model_validate(_told(row))


async def remove(tx: Transaction, letter_id: UUID) -> None:
    """Take a letter away: it was handled, or discarded."""
    await tx.driver.execute(f"delete from {tx.service}.dead_letters where id = $1", letter_id)


async def note_failure(tx: Transaction, letter_id: UUID, error: Exception) -> None:
    """It was tried once more and failed: for what reason this time."""
    code, reason = reason_for(error)
    await tx.driver.execute(
        f"update {tx.service}.dead_letters set attempts = attempts + 1, retried_at = clock_timestamp(), "
        "reason_code = $2, reason = $3 where id = $1",
        letter_id, code, reason,
    )


def _lies_before(parked: Any, record: Record) -> bool:
    if parked["partition"] != record.partition or record.offset is None:
        return True
    return parked["record_offset"] < record.offset


def _told(row: Any) -> dict[str, Any]:
    return {**row, "offset": row["record_offset"]}


def _base64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()
