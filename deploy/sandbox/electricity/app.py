"""The power company's process. In Chongqing the waiver is money: 10 kWh × 0.52 yuan a month.

It keeps nothing on disk: at each start it reads its topic from the beginning, and a repeated answer is harmless.
Source of the dates: 重庆市发改委 notice of 2020-08 (list by the 10th, paid by the 20th).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from uuid import UUID

import httpx
import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from fastapi import APIRouter
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from pydantic import BaseModel, ConfigDict

from contracts.benefits import Department
from contracts.catalogue import DEPARTMENT_ELECTRICITY
from contracts.envelope import EventEnvelope
from contracts.events.referral import ReferralAnswer, ReferralOffered
from contracts.http.casework import AnswerReferral
from deploy.sandbox.actor import CHINA, ActorSettings, QuietActor, actor_app, serve
from deploy.sandbox.tokens import IdentityProvider

log = structlog.get_logger()

WAIVER_FEN_MONTH = 520
ANSWER_HOUR = time(15)


class Behaviour(BaseModel):
    """How the company behaves in a story: its answer, how late, or not at all."""

    model_config = ConfigDict(extra="forbid")

    answer: ReferralAnswer = ReferralAnswer.GRANTED
    after_days: int = 1
    silent: bool = False


@dataclass
class Household:
    """One referral as the company sees it: an account, not a person."""

    item_id: UUID
    account: str
    from_month: date
    answer_at: datetime | None
    answered: ReferralAnswer | None = None


@dataclass
class Received:
    """A record exactly as it came, for whoever wants to check what the company was told."""

    headers: dict[str, str]
    value: dict[str, object]


@dataclass
class PutAside:
    """A record that was no referral to this company: where it lies, and what kind of fault it had."""

    partition: int
    offset: int
    fault: str


@dataclass
class PowerCompany(QuietActor):
    """Reads `department.electricity.v1`; answers over HTTP."""

    settings: ActorSettings
    keys: KeySet
    identities: IdentityProvider
    households: dict[UUID, Household] = field(default_factory=dict[UUID, Household])
    received: list[Received] = field(default_factory=list[Received])
    put_aside: list[PutAside] = field(default_factory=list[PutAside])
    behaviour: dict[str, Behaviour] = field(default_factory=dict[str, Behaviour])
    handled: int = 0

    def __post_init__(self) -> None:
        self._client = httpx.AsyncClient(timeout=20)
        self._unread = 1
        self._arrived: list[tuple[EventEnvelope[ReferralOffered], str]] = []

    async def pending(self) -> int:
        """Records on the topic that were not read yet."""
        return self._unread

    def next_at(self) -> datetime | None:
        """The earliest answer that is planned."""
        planned = [household.answer_at for household in self.households.values() if household.answer_at]
        return min(planned, default=None)

    async def act(self, legal_now: datetime, leap_number: int) -> int:
        """Look at what arrived; give the answers that are due."""
        acted = len(self._arrived)
        for envelope, account in self._arrived:
            self._take(envelope, account, legal_now)
        self._arrived.clear()
        for household in self.households.values():
            if household.answer_at and household.answer_at <= legal_now:
                acted += await self._answer(household)
        return acted

    def _take(self, envelope: EventEnvelope[ReferralOffered], account: str, legal_now: datetime) -> None:
        if envelope.item_id in self.households:
            return
        behaviour = self.behaviour.get(account, Behaviour())
        day = legal_now.astimezone(CHINA).date() + timedelta(days=behaviour.after_days)
        at = None if behaviour.silent else datetime.combine(day, ANSWER_HOUR, CHINA)
        self.households[envelope.item_id] = Household(envelope.item_id, account, envelope.data.from_month, at)

    async def _answer(self, household: Household) -> int:
        answer = self.behaviour.get(household.account, Behaviour()).answer
        granted = answer is ReferralAnswer.GRANTED
        body = AnswerReferral(answer=answer, amount_fen_month=WAIVER_FEN_MONTH if granted else None,
                              from_month=household.from_month if granted else None)
        response = await self._client.post(
            f"{self.settings.coordination_url}/departments/{Department.ELECTRICITY}/referrals/"
            f"{household.item_id}/answers",
            content=body.model_dump_json(),
            headers={"Content-Type": "application/json",
                     **self.identities.headers("department", "department:electricity",
                                               department=Department.ELECTRICITY)},
        )
        if response.status_code >= 500:
            return 0
        if response.is_error:
            log.warning("electricity.refused", item_id=str(household.item_id), status=response.status_code)
        household.answer_at, household.answered = None, answer
        return 1

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Read the topic while the process lives."""
        reading = asyncio.create_task(self._read_for_ever())
        yield
        reading.cancel()

    async def _read_for_ever(self) -> None:
        while True:
            try:
                await self._read()
            except (KafkaError, OSError) as error:
                self._unread = 1
                log.warning("electricity.kafka_down", error=type(error).__name__)
                await asyncio.sleep(1)

    async def _read(self) -> None:
        consumer = AIOKafkaConsumer(bootstrap_servers=self.settings.kafka_bootstrap, enable_auto_commit=False,
                                    auto_offset_reset="earliest")
        await consumer.start()
        try:
            topic = DEPARTMENT_ELECTRICITY
            partitions = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
            consumer.assign(partitions)
            await consumer.seek_to_beginning()
            self.received.clear()
            self.put_aside.clear()
            while True:
                for records in (await consumer.getmany(timeout_ms=100)).values():
                    self._note(records)
                ends = await consumer.end_offsets(partitions)
                positions = [await consumer.position(partition) for partition in partitions]
                self._unread = sum(ends.values()) - sum(positions)
        finally:
            await consumer.stop()

    def _note(self, records: list[ConsumerRecord[bytes, bytes]]) -> None:
        for record in records:
            self.handled += 1
            try:
                headers = {name: value.decode() for name, value in record.headers if value is not None}
                envelope = EventEnvelope[ReferralOffered].read(headers, record.value or b"", ReferralOffered)
                if envelope.type != ReferralOffered.TYPE or record.key != str(envelope.case_id).encode():
                    raise ValueError("another type of event, or another case's key")
                self._arrived.append((envelope, self._account(envelope.data)))
            except (KeyError, ValueError, JoseError) as error:
                self.put_aside.append(PutAside(record.partition, record.offset, type(error).__name__))
                log.warning("electricity.put_aside", partition=record.partition, offset=record.offset)
            else:
                self.received.append(Received(headers, json.loads(record.value or b"{}")))

    def _account(self, offer: ReferralOffered) -> str:
        sealed = jwe.decrypt_compact(offer.recipient_data, self.keys)
        return str(json.loads(sealed.plaintext or b"{}")["electricity_account"])


class BehaviourOf(BaseModel):
    """A story's word on how the company treats one account."""

    model_config = ConfigDict(extra="forbid")

    account: str
    behaviour: Behaviour


def main() -> None:
    """Run the power company."""
    settings = ActorSettings()  # pyright: ignore[reportCallIssue]  # filled from the environment
    if settings.idp_key_file is None or settings.recipient_private_keys_file is None:
        raise ValueError("ONETHING_IDP_KEY_FILE and ONETHING_RECIPIENT_PRIVATE_KEYS_FILE are needed.")
    keys = KeySet.import_key_set(json.loads(settings.recipient_private_keys_file.read_text()))
    company = PowerCompany(settings, keys, IdentityProvider(settings.idp_key_file))
    router = APIRouter()

    @router.post("/facts")
    async def facts(body: BehaviourOf) -> dict[str, str]:
        company.behaviour[body.account] = body.behaviour
        return {"status": "taken"}

    @router.get("/received")
    async def received() -> list[Received]:
        return company.received

    @router.get("/put-aside")
    async def put_aside() -> list[PutAside]:
        return company.put_aside

    @router.get("/households")
    async def households() -> list[Household]:
        return list(company.households.values())

    serve(actor_app("electricity", company, [router]), settings)


if __name__ == "__main__":
    main()
