"""aiokafka as it is: on uvloop a write to a closed connection is a lost connection; its tasks may die unseen."""

# aiokafka carries no types.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from functools import wraps
from typing import Any

from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError

_send: Any = AIOKafkaConnection.send


@wraps(_send)
def _send_or_lose(connection: Any, *request: Any, **options: Any) -> Any:
    try:
        return _send(connection, *request, **options)
    except RuntimeError as closed:
        connection.close(reason=CloseReason.CONNECTION_BROKEN)
        raise KafkaConnectionError(f"The connection to {connection.host}:{connection.port} is closed") from closed


def survive_closed_connections() -> None:
    """Let every Kafka client of this process survive a broker that dies while it is being written to.

    Hazard: uvloop raises RuntimeError there, aiokafka 0.14 awaits OSError. Its task that keeps the metadata dies
    of it unseen: the consumer waits for brokers for ever, still looks assigned, and its group goes empty.
    """
    AIOKafkaConnection.send = _send_or_lose  # pyright: ignore[reportAttributeAccessIssue]


def client_lives(consumer: Any) -> bool:
    """Whether aiokafka's own tasks of a consumer run: metadata, fetching, the group. Any of them may die unseen."""
    tasks = (consumer._client._sync_task, consumer._fetcher._fetch_task, consumer._coordinator._coordination_task)
    return all(task is not None and not task.done() for task in tasks)
