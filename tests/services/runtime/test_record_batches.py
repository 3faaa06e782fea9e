"""A batch in which the name of a header is not UTF-8 is read whole, byte for byte."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c

from services.runtime.record_batches import _Records
from services.runtime.sealed_records import name_bytes

NO_TEXT = b"\xc3\x28\xff"
CRC_AT, CHECKED_FROM = 17, 21


def a_batch(*names: bytes) -> bytes:
    """One record per name, each with one header of that name."""
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=DefaultRecordBatch.CODEC_NONE, is_transactional=False, producer_id=-1,
        producer_epoch=-1, base_sequence=-1, batch_size=100_000,
    )
    for offset, name in enumerate(names):
        shown = "x" * len(name) if name == NO_TEXT else name.decode()
        builder.append(offset, timestamp=offset, key=b"key", value=b"%d" % offset, headers=[(shown, b"\xff")])
    raw = bytearray(builder.build())
    raw = raw.replace(b"x" * len(NO_TEXT), NO_TEXT)
    struct.pack_into(">I", raw, CRC_AT, calc_crc32c(bytes(raw[CHECKED_FROM:])))
    return bytes(raw)


def read(data: bytes) -> list[tuple[int, bytes, bytes, bytes]]:
    """Offset, value, and name and value of the header of every record of every batch."""
    records: Any = _Records(data)
    found: list[tuple[int, bytes, bytes, bytes]] = []
    while records.has_next():
        batch = records.next_batch()
        assert batch.validate_crc()
        assert not batch.is_control_batch
        found += [(each.offset, each.value, name_bytes(each.headers[0][0]), each.headers[0][1]) for each in batch]
    return found


def test_without_this_the_batch_cannot_be_read() -> None:
    with pytest.raises(UnicodeDecodeError):
        list(MemoryRecords(a_batch(b"first", NO_TEXT, b"last")).next_batch())


@pytest.mark.parametrize("names", [
    (b"first", NO_TEXT, b"last"), (NO_TEXT,), (b"only",), (NO_TEXT, b"between", NO_TEXT), ("名".encode(),),
], ids=repr)
def test_every_record_of_a_batch_is_read_once_in_order(names: tuple[bytes, ...]) -> None:
    expected = [(offset, b"%d" % offset, name, b"\xff") for offset, name in enumerate(names)]
    assert read(a_batch(*names)) == expected
    assert read(a_batch(b"before") + a_batch(*names) + a_batch(b"after")) == [
        (0, b"0", b"before", b"\xff"), *expected, (0, b"0", b"after", b"\xff"),
    ]
