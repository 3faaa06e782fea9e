"""Writes a backlog of monthly awards (`award.started.v1`), each of a case of its own, as approval's relay would.

    python -m benchmarks.harness.award_backlog localhost:9092 relief.award.v1 300000
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable
from datetime import UTC, date, datetime
from uuid import UUID

from aiokafka import AIOKafkaProducer

from benchmarks.floors.relay import PARTITIONS, idempotent_producer, partition_of
from benchmarks.harness.forms import AMOUNT_FEN, TOWN
from contracts.benefits import Benefit
from contracts.catalogue import APPROVAL, AWARD
from contracts.envelope import EventEnvelope, Subject, new_id
from contracts.events.award import AwardStarted
from contracts.events.decision import Period

STARTED_AT = datetime(2026, 3, 4, 8, tzinfo=UTC)
FIRST_MONTH = date(2026, 3, 1)


Household = tuple[UUID, UUID]
"""Case and the person who is paid."""


def award(case_id: UUID, payee_person_id: UUID) -> EventEnvelope[AwardStarted]:
    """A monthly award: disbursement keeps it for its pay day and pays nothing yet."""
    event = AwardStarted(
        award_id=new_id(), decision_id=new_id(), benefit=Benefit.DIBAO, amount_fen=AMOUNT_FEN, period=Period.MONTHLY,
        first_month=FIRST_MONTH, payee_person_id=payee_person_id, household_size=1,
    )
    subject = Subject(case_id=case_id, item_id=new_id(), jurisdiction=TOWN, owner=TOWN, epoch=1)
    return EventEnvelope[AwardStarted].of(event, subject, service=APPROVAL, time=STARTED_AT,
                                          rule_date=STARTED_AT.date())


async def write_awards(bootstrap: str, households: Iterable[Household], topic: str = AWARD.name) -> None:
    """Write an award for each and return when the broker has them all."""
    producer = idempotent_producer(bootstrap)
    await producer.start()
    batches = {number: producer.create_batch() for number in range(PARTITIONS)}
    for household in households:
        envelope = award(*household)
        key = str(envelope.case_id)
        number = partition_of(key)
        record = {"timestamp": None, "key": key.encode(), "value": envelope.body(),
                  "headers": [(name, value.encode()) for name, value in envelope.headers().items()]}
        if batches[number].append(**record) is None:
            await _deliver(producer, batches[number], topic, number)
            batches[number] = producer.create_batch()
            batches[number].append(**record)
    for number, batch in batches.items():
        await _deliver(producer, batch, topic, number)
    await producer.stop()


async def _deliver(producer: AIOKafkaProducer, batch: object, topic: str, partition: int) -> None:
    batch.close()  # pyright: ignore[reportAttributeAccessIssue]  # aiokafka carries no types
    await (await producer.send_batch(batch, topic, partition=partition))


if __name__ == "__main__":
    asyncio.run(write_awards(sys.argv[1], ((new_id(), new_id()) for _ in range(int(sys.argv[3]))), sys.argv[2]))
