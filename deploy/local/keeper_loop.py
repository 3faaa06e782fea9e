"""The keeper's loop: watch until all is quiet, let the actors act, leap to the next moment."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import httpx
import structlog
from pydantic import BaseModel, TypeAdapter, ValidationError

from contracts.http.clock import Act, Acted, Quiet
from deploy.local import legal_clock
from deploy.local.legal_clock import ClockReading
from services.runtime.problems import error_trace
from services.runtime.tokens import TokenSigner

WAITING_POLL_SECONDS = 0.05
IDLE_POLL_SECONDS = 0.5
DEADLINE_AT = TypeAdapter(dict[str, datetime | None])

log = structlog.get_logger()


class ClockUnreadable(Exception):
    """The database that holds the clock does not answer; legal time cannot be told."""


class Hindered(Exception):
    """An actor, or coordination, could not do what the keeper asked."""


class Waiting(BaseModel):
    """A process that is not quiet; `pending` is None when it does not answer."""

    process: str
    pending: int | None


@dataclass
class _Round:
    """What the processes answered in one round."""

    answers: dict[str, Quiet | None]

    @property
    def waiting_on(self) -> list[Waiting]:
        return [
            Waiting(process=name, pending=answer.pending if answer else None)
            for name, answer in self.answers.items()
            if answer is None or answer.pending
        ]

    @property
    def handled(self) -> dict[str, int]:
        return {name: answer.handled for name, answer in self.answers.items() if answer}


class KeeperLoop:
    """Moves legal time by the rules of the two clocks.

    Invariants: it leaps only after two full rounds in which nothing was pending and nothing was handled
    between; never while held; never past a moment at which somebody has something to do.
    """

    def __init__(
        self,
        *,
        watched_urls: Mapping[str, str],
        actor_urls: Mapping[str, str],
        coordination_url: str,
        signer: TokenSigner,
        database_dsn: str,
    ) -> None:
        self.held = False
        self.quiet = False
        self.next_at: datetime | None = None
        self.waiting_on: list[Waiting] = []
        self.hindered_by: str | None = None
        self._watched_urls = watched_urls
        self._actor_urls = actor_urls
        self._coordination_url = coordination_url
        self._signer = signer
        self._database_dsn = database_dsn
        self._connection: asyncpg.Connection | None = None
        self._one_at_a_time = asyncio.Lock()
        self._leaping = asyncio.Lock()
        # Hazard: with trust_env a proxy of the person's shell would be asked for addresses on this machine.
        self._http = httpx.AsyncClient(timeout=10, trust_env=False)
        self._seen_by_actor: dict[str, dict[str, int]] = {}

    async def run(self) -> None:
        """Keep the clock until cancelled."""
        while True:
            try:
                busy = await self._turn()
            except Exception as error:
                # Hazard: whatever it was, a keeper that no longer looks would hold legal time for ever.
                self.quiet, busy = False, False
                known = isinstance(error, ClockUnreadable | Hindered)
                reason = str(error) if known else f"The keeper failed ({type(error).__name__}); see its log."
                if self.hindered_by != reason:  # once, not twice a second
                    log.warning("clock.hindered", reason=reason, **({} if known else error_trace(error)))
                self.hindered_by = reason
            await asyncio.sleep(WAITING_POLL_SECONDS if busy else IDLE_POLL_SECONDS)

    async def save_each_second(self) -> None:
        """Keep `clock.saved` at most one second behind, so that a stop freezes legal time."""
        while True:
            with contextlib.suppress(ClockUnreadable):
                async with self._clock() as connection:
                    await legal_clock.save(connection)
            await asyncio.sleep(legal_clock.SAVE_INTERVAL.total_seconds())

    async def read_clock(self) -> ClockReading:
        """The clock now. Raises ClockUnreadable."""
        async with self._clock() as connection:
            return await legal_clock.read(connection)

    async def leap_by_hand(self, to: datetime, *, force: bool) -> bool:
        """Leap because a person or a test says so; False when somebody is busy and it is not forced."""
        if force:
            await self._leap(to, "by force")
            return True
        async with self._leaping:
            if await self._quiet_round() is None:
                return False
            await self._leap(to, "by hand")
            return True

    async def close(self) -> None:
        """Save the moment and let go of the connections."""
        with contextlib.suppress(ClockUnreadable):
            async with self._clock() as connection:
                await legal_clock.save(connection)
        if self._connection:
            await self._connection.close()
        await self._http.aclose()

    async def _turn(self) -> bool:
        """One look; True when the next should come soon."""
        async with self._leaping:
            calm = await self._quiet_round()
            if calm is None:
                return True
            clock = await self.read_clock()
            if await self._let_actors_act(calm, clock):
                return True
            self.quiet = True
            self.next_at, due_already = await self._next_moment(calm, clock)
            self.hindered_by = None
            drives = any(answer and answer.drives for answer in calm.answers.values())
            if self.held or not drives:
                return False
            if self.next_at and not due_already:
                await self._leap(self.next_at, "all quiet")
            return True

    async def _quiet_round(self) -> _Round | None:
        """Two full rounds without anything pending or handled between; None as soon as there is something."""
        # Whoever was busy last is asked alone first: the others need not be disturbed while it works.
        busy = {waiting.process for waiting in self.waiting_on}
        if busy:
            self.waiting_on = (await self._ask(busy)).waiting_on
            if self.waiting_on:
                self.quiet = False
                return None
        first = await self._ask(self._watched_urls.keys())
        self.waiting_on = first.waiting_on
        if not self.waiting_on:
            await asyncio.sleep(WAITING_POLL_SECONDS)
            second = await self._ask(self._watched_urls.keys())
            self.waiting_on = second.waiting_on
            if not self.waiting_on and first.handled == second.handled:
                return second
        self.quiet = False
        return None

    async def _ask(self, names: Collection[str]) -> _Round:
        async def ask_one(name: str) -> Quiet | None:
            try:
                answer = await self._http.get(f"{self._watched_urls[name]}/quiet")
                answer.raise_for_status()
                return Quiet.model_validate_json(answer.content)
            except (httpx.HTTPError, ValidationError):
                return None

        asked = list(names)
        return _Round(dict(zip(asked, await asyncio.gather(*map(ask_one, asked)), strict=True)))

    async def _let_actors_act(self, calm: _Round, clock: ClockReading) -> int:
        """Call every actor whose moment has come, or since whose last call something was handled."""
        called: list[str] = []
        for name in self._actor_urls:
            answer = calm.answers[name]
            due = answer is not None and answer.next_at is not None and answer.next_at <= clock.legal_now
            if due or self._seen_by_actor.get(name) != calm.handled:
                called.append(name)
        if called:
            self.quiet = False  # whoever asks meanwhile must not hear so while an actor is about to act
        body = Act(legal_now=clock.legal_now, leap_number=clock.leap_number).model_dump(mode="json")

        async def call(name: str) -> int:
            with _hindrance(f"{name} could not act"):
                answer = await self._http.post(f"{self._actor_urls[name]}/act", json=body, timeout=60)
                answer.raise_for_status()
                acted = Acted.model_validate_json(answer.content).acted
            # Only after it answered: an actor that was away is called again.
            self._seen_by_actor[name] = calm.handled
            return acted

        return sum(await asyncio.gather(*map(call, called)))

    async def _next_moment(self, calm: _Round, clock: ClockReading) -> tuple[datetime | None, bool]:
        """The earliest moment at which somebody has something to do, and whether one of ours is overdue.

        A deadline that has come but is not handled yet (a timer is about a second late) holds the clock; an
        actor's moment that has come does not, for the actor was just called and had nothing to do.
        """
        with _hindrance("coordination could not tell the next deadline"):
            token = self._signer.service_token("coordination")
            headers = {"Authorization": f"Bearer {token}"}
            answer = await self._http.get(f"{self._coordination_url}/deadlines/next", headers=headers)
            answer.raise_for_status()
            deadline = DEADLINE_AT.validate_json(answer.content)["at"]
        moments = [
            answer.next_at
            for answer in calm.answers.values()
            if answer and answer.next_at and answer.next_at > clock.legal_now
        ]
        if deadline:
            moments.append(deadline)
        return min(moments, default=None), deadline is not None and deadline <= clock.legal_now

    async def _leap(self, to: datetime, reason: str) -> None:
        async with self._clock() as connection:
            reading = await legal_clock.leap(connection, to, kind="leap", reason=reason)
        self.quiet = False
        log.info(
            "clock.leapt",
            legal_now=reading.legal_now.isoformat(),
            leap_number=reading.leap_number,
            reason=reason,
        )

    @contextlib.asynccontextmanager
    async def _clock(self) -> AsyncIterator[asyncpg.Connection]:
        """The one connection, made anew after the database was away."""
        async with self._one_at_a_time:
            try:
                yield await self._connected()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                if self._connection:
                    self._connection.terminate()
                self._connection = None
                raise ClockUnreadable(f"The database that holds the clock does not answer: {error}") from error

    async def _connected(self) -> asyncpg.Connection:
        connection = self._connection
        if connection is None or connection.is_closed():
            connection = await asyncpg.connect(self._database_dsn, timeout=5, command_timeout=10)
            self._connection = connection
        return connection


@contextlib.contextmanager
def _hindrance(what: str) -> Iterator[None]:
    try:
        yield
    except (httpx.HTTPError, ValidationError) as error:
        reason = error.response.status_code if isinstance(error, httpx.HTTPStatusError) else type(error).__name__
        raise Hindered(f"{what} ({reason}); see its log.") from error
