"""Records nobody could handle, parked whole with the reason, so that they can be retried once that is mended."""

from __future__ import annotations

import base64
import traceback
from datetime import datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import orjson
from pydantic import BaseModel, Field

from contracts.envelope import new_id
from services.runtime.logging import mask
from services.runtime.problems import PermanentError
from services.runtime.records import Record, StoredRecord

if TYPE_CHECKING:
    from services.runtime.context import Runtime
    from services.runtime.database import Database

COLUMNS: Final = (
    "id, topic, partition, record_offset, key, headers, value, reason_code, reason, first_failed_at, attempts, "
    "retried_at"
)


class DeadLetterNotFound(LookupError):
    """There is no dead letter with that id (any more)."""


class DeadLetter(BaseModel):
    """A parked record and why it was parked."""

    id: UUID
    topic: str
    partition: int | None = Field(description="None: the event had been kept for its cause.")
    offset: int | None
    key: str | None = Field(description="base64")
    headers: list[tuple[str, str | None]] = Field(description="values in base64")
    value: str | None = Field(description="base64")
    reason_code: str
    reason: str = Field(description="What is wrong, never the record's content.")
    first_failed_at: datetime = Field(description="Machine time.")
    attempts: int
    retried_at: datetime | None = Field(default=None, description="When an operator last tried. Machine time.")

    def record(self) -> StoredRecord:
        """The record as it was on Kafka."""
        return StoredRecord(
            self.topic, self.partition, self.offset, _from_text(self.key),
            [(name, _from_text(value)) for name, value in self.headers], _from_text(self.value),
        )


def reason_for(error: Exception) -> tuple[str, str]:
    """Code and sentence for a failure.

    Hazard: any other message than our own may repeat what was sent (SQL, parsers), so only the place is told.
    """
    if isinstance(error, PermanentError):
        return error.code, mask(error.detail)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "site-packages" not in frame.filename]
    place = f" at {'/'.join(PurePath(frames[-1].filename).parts[-3:])}:{frames[-1].lineno}" if frames else ""
    return "handler_failed", f"Handling raised {type(error).__name__}{place}. Mend the cause, then retry."


async def park(driver: Any, schema: str, record: Record, error: Exception, *, attempts: int = 1) -> bool:
    """Park a record in the open transaction; False if this very record is parked already."""
    code, reason = reason_for(error)
    parked = await driver.fetchval(
        f"insert into {schema}.dead_letters "
        "(id, topic, partition, record_offset, key, headers, value, reason_code, reason, attempts) "
        "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
        "on conflict (topic, partition, record_offset) do nothing returning id",
        new_id(), record.topic, record.partition, record.offset, record.key,
        orjson.dumps([(name, _to_text(value)) for name, value in record.headers]).decode(),
        record.value, code, reason, attempts,
    )
    return parked is not None


async def listing(database: Database, limit: int = 100) -> list[DeadLetter]:
    """The oldest dead letters of this service."""
    async with database.transaction() as tx:
        rows = await tx.driver.fetch(
            f"select {COLUMNS} from {database.service}.dead_letters order by id limit $1", limit
        )
    return [_dead_letter(row) for row in rows]


async def show(database: Database, dead_letter_id: UUID) -> DeadLetter:
    """One dead letter. Raises DeadLetterNotFound."""
    async with database.transaction() as tx:
        return await _load(tx.driver, database.service, dead_letter_id)


async def retry(runtime: Runtime, dead_letter_id: UUID) -> DeadLetter:
    """Handle a dead letter again as its consumer would, in one transaction, and remove it on success.

    Raises DeadLetterNotFound, or what the handling raised: then the row stays, with one more attempt.
    """
    database, consumers = runtime.database, runtime.consumers
    if consumers is None:
        raise PermanentError(f"{database.service} consumes nothing; it has nothing to retry.", code="no_consumers")
    try:
        async with database.transaction() as tx:
            letter = await _load(tx.driver, database.service, dead_letter_id, lock=True)
            await consumers.handle_again(tx, letter.record())
            await tx.driver.execute(f"delete from {database.service}.dead_letters where id = $1", dead_letter_id)
            return letter
    except DeadLetterNotFound:
        raise
    except Exception as error:
        code, reason = reason_for(error)
        async with database.transaction() as tx:
            await tx.driver.execute(
                f"update {database.service}.dead_letters set attempts = attempts + 1, "
                "retried_at = clock_timestamp(), reason_code = $2, reason = $3 where id = $1",
                dead_letter_id, code, reason,
            )
        raise


async def _load(driver: Any, schema: str, dead_letter_id: UUID, *, lock: bool = False) -> DeadLetter:
    row = await driver.fetchrow(
        f"select {COLUMNS} from {schema}.dead_letters where id = $1 {'for update' if lock else ''}", dead_letter_id
    )
    if row is None:
        raise DeadLetterNotFound(f"Dead letter {dead_letter_id}: {schema} has none with that id.")
    return _dead_letter(row)


def _dead_letter(row: Any) -> DeadLetter:
    return DeadLetter(
        id=row["id"], topic=row["topic"], partition=row["partition"], offset=row["record_offset"],
        key=_to_text(row["key"]), headers=row["headers"], value=_to_text(row["value"]),
        reason_code=row["reason_code"], reason=row["reason"], first_failed_at=row["first_failed_at"],
        attempts=row["attempts"], retried_at=row["retried_at"],
    )


def _to_text(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def _from_text(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)
