"""A Kafka client on uvloop lives on when its connection closes while it is being written to."""

from __future__ import annotations

import asyncio

import pytest
import uvloop
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.metadata import MetadataRequest

from deploy.local.infrastructure import Infrastructure
from services.runtime.kafka_connection import survive_closed_connections


async def write_to_a_closed_connection(bootstrap: str) -> None:
    client = AIOKafkaClient(bootstrap_servers=bootstrap)
    await client.bootstrap()
    try:
        assert await client.force_metadata_update()
        [connection] = client._conns.values()
        connection._writer.transport.abort()
        await asyncio.sleep(0)  # the one turn of the loop in which uvloop knows that it is closed and aiokafka does not
        with pytest.raises(KafkaConnectionError):
            await connection.send(MetadataRequest([]))
        async with asyncio.timeout(30):
            while not await client.force_metadata_update():  # noqa: ASYNC110 - the other side is a server
                await asyncio.sleep(0.1)
    finally:
        await client.close()


async def test_a_client_lives_on_when_its_connection_has_just_closed(stack: Infrastructure) -> None:
    survive_closed_connections()

    def on_uvloop() -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(write_to_a_closed_connection(stack.kafka_bootstrap))

    await asyncio.to_thread(on_uvloop)
