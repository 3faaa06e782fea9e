"""aiokafka as it is: it reads no batch in which the name of a header is not UTF-8, so that nobody gets past it."""

# aiokafka carries no types.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportPrivateUsage=false, reportUnknownArgumentType=false

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, Final

import structlog
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

log = structlog.get_logger(__name__)

OFFSET_AND_LENGTH: Final = struct.Struct(">qi")
"""What every batch begins with; the length counts what comes after it."""


class _AnyText(bytearray):
    """Bytes in which whatever is read as text may be any bytes: each that is no text becomes a lone surrogate."""

    def __getitem__(self, at: Any) -> Any:
        part = super().__getitem__(at)
        return _AnyText(part) if isinstance(at, slice) else part

    def decode(self, encoding: str = "utf-8", errors: str = "surrogateescape") -> str:
        return super().decode(encoding, errors)


class _Batch:
    """A batch as aiokafka reads it, and read again by us from where it cannot."""

    def __init__(self, batch: Any, raw: memoryview) -> None:
        self._batch = batch
        self._raw = raw

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        offset = -1
        try:
            for record in self._batch:
                offset = record.offset
                yield record
            return
        except UnicodeDecodeError:
            log.warning("batch.header_name_not_text", after_offset=offset)
        patient = iter(_DefaultRecordBatchPy(self._raw))
        patient._buffer = _AnyText(patient._buffer)
        yield from (record for record in patient if record.offset > offset)


class _Records:
    """The batches of one answer of a broker."""

    def __init__(self, data: bytes) -> None:
        self._records = MemoryRecords(data)
        self._raw = memoryview(data)
        self._at = 0

    def has_next(self) -> bool:
        return self._records.has_next()

    def size_in_bytes(self) -> int:
        return self._records.size_in_bytes()

    def next_batch(self) -> _Batch:
        begins = self._at
        _, length = OFFSET_AND_LENGTH.unpack_from(self._raw, begins)
        self._at += OFFSET_AND_LENGTH.size + length
        return _Batch(self._records.next_batch(), self._raw[begins:self._at])


def survive_any_header_name() -> None:
    """Let every Kafka consumer of this process read records whose header names are not UTF-8.

    Hazard: aiokafka 0.14 raises UnicodeDecodeError for the whole batch and does not move on; FastStream's task ends
    of it, after every restart again. Such a name arrives with lone surrogates: `name.encode("utf-8",
    "surrogateescape")` is what was sent.
    """
    fetcher.MemoryRecords = _Records  # pyright: ignore[reportPrivateImportUsage, reportAttributeAccessIssue]
