"""A city on all of whose topics lies every poison, each followed by a good record; what became of them."""

from __future__ import annotations

import dataclasses
import importlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID, uuid4

from contracts.catalogue import DEPARTMENT_ELECTRICITY, ELECTRICITY, PARTITIONS, SERVICES, TOPICS, topic_of
from contracts.envelope import EventEnvelope, new_id
from contracts.events.referral import ReferralOffered
from contracts.example_events import example
from services.intake.recipient_keys import RecipientKeys
from tests.journeys.city import City, a_city, stories, until
from tests.services.runtime.poisons import BROKER_ALLOWS_BYTES, POISONS, Sent, poison_producer, send_as_it_is
from tests.services.runtime.service_under_test import allow_records_of

HANDLED: Final[dict[str, frozenset[str]]] = {
    service: frozenset(importlib.import_module(f"services.{service}.consumers").consumers._handlers)
    for service in SERVICES
}
"""Service → the event types it handles."""
DEPARTMENT: Final = "electricity"
PARKS_MANY: Final = 100_000


def readers_of(topic: str) -> list[str]:
    """The services that consume a topic."""
    return [service for service, types in HANDLED.items() if topic in map(topic_of, types)]


def sample_type(topic: str) -> str:
    """The event type of a topic that most of its readers handle."""
    types = {event_type for handled in HANDLED.values() for event_type in handled if topic_of(event_type) == topic}
    return max(sorted(types), key=lambda event_type: sum(event_type in handled for handled in HANDLED.values()))


CONSUMED: Final = tuple(topic.name for topic in TOPICS if readers_of(topic.name))
READ_BY_NOBODY: Final = tuple(
    topic.name for topic in TOPICS if not readers_of(topic.name) and topic != DEPARTMENT_ELECTRICITY
)


def a_good_event(event_type: str) -> EventEnvelope[Any]:
    """The example of a type, about a case, an item and things of its own."""
    event = example(event_type)
    own = {name: uuid4() for name, value in event.data if isinstance(value, UUID)}
    subject = event.subject.model_copy(update={"case_id": uuid4(), "item_id": uuid4()})
    return dataclasses.replace(event, id=new_id(), subject=subject, data=event.data.model_copy(update=own))


def an_offer(city: City) -> EventEnvelope[Any]:
    """A referral that the power company can open."""
    keys = RecipientKeys.from_file(city.supervisor.infrastructure.secrets.recipient_keys_file)
    sealed = keys.agree(ELECTRICITY).encrypt(json.dumps({"electricity_account": f"poison-{uuid4()}"}).encode())
    event = a_good_event(ReferralOffered.TYPE)
    return dataclasses.replace(event, data=event.data.model_copy(update={"recipient_data": sealed}))


@dataclass
class Poisoned:
    """What was put on the topics of a city, and what its consumers say of it."""

    city: City
    sent: dict[tuple[str, str], tuple[int, int, Sent]] = field(default_factory=dict)
    """Topic and poison → partition, offset and record."""
    good: dict[str, list[EventEnvelope[Any]]] = field(default_factory=dict)
    letters: dict[tuple[str, str, int, int], dict[str, Any]] = field(default_factory=dict)
    """Service, topic, partition, offset → its dead letter."""
    put_aside: set[tuple[int, int]] = field(default_factory=set)

    async def poison_everything(self) -> None:
        """Every poison on every topic that is read, then a good record on each partition."""
        bootstrap = self.city.supervisor.infrastructure.kafka_bootstrap
        async with poison_producer(bootstrap) as producer:
            for topic in (*CONSUMED, DEPARTMENT_ELECTRICITY.name):
                await allow_records_of(bootstrap, topic, BROKER_ALLOWS_BYTES)
                for number, (kind, poison) in enumerate(POISONS.items()):
                    if topic == DEPARTMENT_ELECTRICITY.name and kind not in UNREADABLE_TO_A_DEPARTMENT:
                        continue
                    record, partition = poison.spoil(Sent.of(self._good_one(topic))), number % PARTITIONS
                    offset = await send_as_it_is(producer, topic, partition, record)
                    self.sent[topic, kind] = (partition, offset, record)
                self.good[topic] = [self._good_one(topic) for _ in range(PARTITIONS)]
                for partition, event in enumerate(self.good[topic]):
                    await send_as_it_is(producer, topic, partition, Sent.of(event))

    async def handled_good_ones(self, service: str, topic: str) -> bool:
        """Whether a service has handled the good records behind the poison of a topic."""
        wanted = [event.id for event in self.good[topic] if event.type in HANDLED[service]]
        rows = await self.city.rows(f"select from {service}.inbox where event_id = any($1)", wanted)
        return len(rows) == len(wanted)

    async def look(self) -> None:
        """Wait for the good ones, then read every dead letter."""
        for topic in CONSUMED:
            for service in readers_of(topic):
                await until(lambda service=service, topic=topic: self.handled_good_ones(service, topic))
        for service in SERVICES:
            for letter in await self.city.stack.ask(service, "GET", "/dead-letters", params={"limit": 500}):
                opened = await self.city.stack.ask(service, "GET", f"/dead-letters/{letter['id']}")
                self.letters[service, letter["topic"], letter["partition"], letter["offset"]] = opened
        await until(self._department_read_all)
        told = await self.city.stack.ask(DEPARTMENT, "GET", "/put-aside")
        self.put_aside = {(each["partition"], each["offset"]) for each in told}

    async def _department_read_all(self) -> bool:
        received = await self.city.stack.ask(DEPARTMENT, "GET", "/received")
        ids = {each["headers"]["ce_id"] for each in received}
        return ids >= {str(event.id) for event in self.good[DEPARTMENT_ELECTRICITY.name]}

    def _good_one(self, topic: str) -> EventEnvelope[Any]:
        return an_offer(self.city) if topic == DEPARTMENT_ELECTRICITY.name else a_good_event(sample_type(topic))


UNREADABLE_TO_A_DEPARTMENT: Final = tuple(
    kind for kind in POISONS
    if kind not in ("2 MB", "a header's name that is not UTF-8", "a time without zone", "without ce_specversion",
                    "unknown version of its envelope")
)
"""The power company is an outsider with a client of its own: what that client or the contract lets pass, it takes."""


@asynccontextmanager
async def a_poisoned_city() -> AsyncIterator[Poisoned]:
    """A fresh city whose consumers may park as much as this needs."""
    async with a_city(stories("C4")) as city:
        for service in SERVICES:
            await city.stack.ask(service, "POST", "/dead-letters/resume", json={"park_at_most": PARKS_MANY})
        poisoned = Poisoned(city)
        await poisoned.poison_everything()
        await poisoned.look()
        yield poisoned
