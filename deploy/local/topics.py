"""The topics of the catalogue, made on the broker with their partitions and retention."""

from importlib.util import find_spec

from aiokafka.admin import AIOKafkaAdminClient, NewTopic


async def create_topics(bootstrap: str) -> list[str]:
    """Make the catalogue's topics that the broker lacks and return their names."""
    if find_spec("contracts.catalogue") is None:
        return []
    from contracts.catalogue import TOPICS

    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        present = set(await admin.list_topics())
        wanted = [
            NewTopic(
                name=topic.name,
                num_partitions=topic.partitions,
                replication_factor=1,
                topic_configs={"retention.ms": str(topic.retention_hours * 3_600_000)},
            )
            for topic in TOPICS
            if topic.name not in present
        ]
        if wanted:
            await admin.create_topics(wanted)
        return [topic.name for topic in wanted]
    finally:
        await admin.close()
