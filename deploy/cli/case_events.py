"""The events of one case, read from its topics."""

from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer, TopicPartition

from contracts.catalogue import TOPICS
from deploy.local.world import LOCALHOST, World

READ_TIMEOUT_MS = 2000


async def events_of(world: World, case_id: UUID) -> list[dict[str, Any]]:
    """Every event of the case that Kafka still keeps, by legal time: headers only, no content."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=f"{LOCALHOST}:{world.ports['kafka']}",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        partitions = [TopicPartition(topic.name, number) for topic in TOPICS for number in range(topic.partitions)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning()
        ends = await consumer.end_offsets(partitions)
        events: list[dict[str, Any]] = []
        while any([await consumer.position(partition) < ends[partition] for partition in partitions]):
            for records in (await consumer.getmany(timeout_ms=READ_TIMEOUT_MS)).values():
                events += [_told(record) for record in records if record.key == str(case_id).encode()]
    finally:
        await consumer.stop()
    return sorted(events, key=lambda event: (event["legal_time"], event["id"]))


def _told(record: Any) -> dict[str, Any]:
    headers = {name: value.decode(errors="replace") for name, value in record.headers}
    return {
        "legal_time": headers.get("ce_time", ""),
        "type": headers.get("ce_type", ""),
        "item_id": headers.get("ce_itemid", ""),
        "id": headers.get("ce_id", ""),
        "topic": record.topic,
        "offset": record.offset,
    }
