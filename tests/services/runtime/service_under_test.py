"""A small service with events, schema, role, topics, consumers and relay of its own, on the real servers."""

from __future__ import annotations

import asyncio
import base64
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from contracts import catalogue
from contracts.envelope import Event, EventEnvelope, Subject
from deploy.local.infrastructure import Infrastructure
from services.runtime.consumer import Consumers
from services.runtime.context import Runtime
from services.runtime.database import Database, Transaction
from services.runtime.settings import RuntimeSettings

PARTITIONS = 2
PASSWORD = "of-this-test-only"
PAYLOAD_KEY = base64.b64encode(bytes(range(32))).decode()
BOUND_SECONDS = 30.0

FIRST_REVISION = '''
from alembic import op
from services.runtime.migrations import append_only, row_level_security, runtime_tables

revision = "0001"
down_revision = None

def upgrade():
    runtime_tables(op, "{schema}")
    op.execute("create table {schema}.effects (place bigint generated always as identity primary key, "
               "event_id uuid not null, case_id uuid not null, number integer not null)")
    op.execute("create table {schema}.people (id integer primary key, jurisdiction text not null)")
    row_level_security(op, "{schema}", "people")
    op.execute("create table {schema}.evidence (id integer primary key)")
    append_only(op, "{schema}", "evidence")
'''


class Counted(Event):
    """Something that happened for the number-th time."""

    TYPE = "test.counted.v1"
    number: int


class Caused(Event):
    """Something that makes sense only after Counted of the same case."""

    TYPE = "test.caused.v1"
    number: int


@dataclass
class ServiceUnderTest:
    """One service under test and what a test needs around it."""

    schema: str
    dsn: str
    bootstrap: str
    runtime: Runtime
    nudged: list[str] = field(default_factory=list[str])

    @property
    def database(self) -> Database:
        return self.runtime.database

    @property
    def topic(self) -> str:
        return catalogue.topic_of(Counted.TYPE)

    async def rows(self, statement: str, *values: object) -> list[Any]:
        """Rows of this schema (`{s}` in the statement)."""
        connection = await asyncpg.connect(self.dsn)
        try:
            return await connection.fetch(statement.format(s=self.schema), *values)
        finally:
            await connection.close()

    async def effects(self) -> list[int]:
        """The numbers handled, in the order of their commit."""
        return [row["number"] for row in await self.rows("select number from {s}.effects order by place")]

    async def send(self, *records: tuple[EventEnvelope[Any], int] | EventEnvelope[Any]) -> None:
        """Put events on their topics as a foreign relay would; a pair names the partition."""
        async with self.producer() as producer:
            for record in records:
                envelope, partition = record if isinstance(record, tuple) else (record, None)
                await producer.send_and_wait(
                    catalogue.topic_of(envelope.type), envelope.body(), key=str(envelope.case_id).encode(),
                    headers=[(name, value.encode()) for name, value in envelope.headers().items()],
                    partition=partition,
                )

    def producer(self) -> AIOKafkaProducer:
        return AIOKafkaProducer(bootstrap_servers=self.bootstrap)

    async def read_topic(self, topic: str, count: int) -> list[Any]:
        """The first records of a topic."""
        consumer = AIOKafkaConsumer(topic, bootstrap_servers=self.bootstrap, auto_offset_reset="earliest")
        await consumer.start()
        try:
            async with asyncio.timeout(BOUND_SECONDS):
                return [await consumer.getone() for _ in range(count)]
        finally:
            await consumer.stop()


def an_event(number: int = 1, *, case_id: uuid.UUID | None = None, kind: type[Event] = Counted) -> EventEnvelope[Any]:
    """An event of a case, of a new one where none is given."""
    return EventEnvelope[Any].of(
        kind.model_validate({"number": number}), a_subject(case_id), service="test",
        time=datetime(2025, 1, 6, 1, tzinfo=UTC), rule_date=date(2025, 1, 6),
    )


def a_subject(case_id: uuid.UUID | None = None) -> Subject:
    return Subject(case_id=case_id or uuid.uuid4(), jurisdiction="500116106")


async def store_effects(tx: Transaction, events: list[EventEnvelope[Any]]) -> None:
    """The simplest handler: one row per event."""
    await tx.driver.execute(
        f"insert into {tx.service}.effects (event_id, case_id, number) "
        "select * from unnest($1::uuid[], $2::uuid[], $3::integer[])",
        [event.id for event in events], [event.case_id for event in events], [event.data.number for event in events],
    )


async def until(condition: Callable[[], Awaitable[Any]]) -> Any:
    """Wait for a condition to hold and return its value; fail after a bound."""
    async with asyncio.timeout(BOUND_SECONDS):
        while not (value := await condition()):  # noqa: ASYNC110 - the other side is a server
            await asyncio.sleep(0.02)
    return value


def a_runtime(world: ServiceUnderTest) -> Runtime:
    """The part of a process that data needs: settings, database, counters."""
    runtime = object.__new__(Runtime)
    runtime.name = world.schema
    runtime.settings = RuntimeSettings.model_construct(
        env="demo", kafka_bootstrap=world.bootstrap, payload_key=PAYLOAD_KEY
    )
    runtime.handled = 0
    runtime.loops = {}
    runtime.consumers = None
    runtime.database = Database(
        world.dsn, service=world.schema, settings=runtime.settings, nudge=world.nudged.append
    )
    runtime.database.runtime = runtime
    return runtime


async def consume(world: ServiceUnderTest, *, limit: int = 100, **handlers: Any) -> Consumers:
    """Start this service's consumer with handlers by name: `counted=`, `caused=`."""
    consumers = Consumers(world.schema, dead_letters_at_most=limit)
    for kind in (Counted, Caused):
        if (handler := handlers.get(kind.__name__.lower())) is not None:
            consumers.on(kind)(handler)
    world.runtime.consumers = consumers
    await consumers.start(world.runtime)
    return consumers


async def create_topics(bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([
            NewTopic(catalogue.topic_of(kind.TYPE), PARTITIONS, 1) for kind in (Counted, Caused)
        ])
    finally:
        await admin.close()


async def allow_records_of(bootstrap: str, topic: str, size_bytes: int) -> None:
    """Let the broker take larger records on a topic than it does by itself."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        change = ConfigResource(ConfigResourceType.TOPIC, topic, {"max.message.bytes": str(size_bytes)})
        await admin.alter_configs([change])
    finally:
        await admin.close()


async def let_log_in(stack: Infrastructure, schema: str) -> str:
    connection = await asyncpg.connect(stack.database_dsn("admin"))
    try:
        await connection.execute(f"alter role {schema} login password '{PASSWORD}'")
        await connection.execute(f"grant connect on database onething to {schema}")
        await connection.execute(f"grant usage on schema clock to {schema}")
        await connection.execute(f"grant select on all tables in schema clock to {schema}")
    finally:
        await connection.close()
    address = stack.database_dsn("admin").split("@", 1)[1]
    return f"postgresql://{schema}:{PASSWORD}@{address}"
