"""What a process's code is handed: settings, database, callers' tokens, clients, Temporal, counters."""

from __future__ import annotations

from services.runtime.circuit_breaker import CircuitBreakers
from services.runtime.clients import ServiceClient
from services.runtime.consumer import Consumers
from services.runtime.database import Database
from services.runtime.edge import Requests
from services.runtime.loops import LoopRunner
from services.runtime.settings import ProcessSettings, RuntimeSettings
from services.runtime.temporal import RunningActivities, TemporalConnection, WorkerKeeper
from services.runtime.tokens import TokenSigner, TokenVerifier


class Runtime:
    """One per process. Needs no server to be made; what is down shows when it is used."""

    def __init__(self, name: str, settings: ProcessSettings) -> None:
        self.name = name
        self.settings = settings
        self.requests = Requests()
        self.running_activities = RunningActivities()
        self.breakers = CircuitBreakers()
        self.handled = 0
        self.loops: dict[str, LoopRunner] = {}
        self.consumers: Consumers | None = None
        self.worker: WorkerKeeper | None = None
        self.needs_temporal = False
        self.database = Database(settings.database_dsn, service=name, settings=settings, nudge=self.nudge)
        self.database.runtime = self
        self.temporal = TemporalConnection(
            settings.temporal_address, settings.temporal_namespace, settings.payload_key
        )
        self._clients: dict[tuple[str, str], ServiceClient] = {}
        self._signer: TokenSigner | None = None
        # Without keys (the workflow worker) no token is trusted: whatever asks for a role answers 401.
        self.tokens = TokenVerifier({}, name)
        if isinstance(settings, RuntimeSettings):
            self._signer = TokenSigner.from_file(settings.signing_key_file)
            self.tokens = TokenVerifier.from_file(settings.trusted_keys_file, name)

    def client(self, base_url: str, audience: str) -> ServiceClient:
        """The client towards one party; every call carries a fresh token of this service."""
        key = (base_url, audience)
        if key not in self._clients:
            self._clients[key] = ServiceClient(base_url, audience, self._signer)
        return self._clients[key]

    def url_of(self, service: str) -> str:
        """Where another service answers: setting `<SERVICE>_URL`. Raises LookupError where it is unset."""
        url = getattr(self.settings, f"{service}_url", None)
        if url is None:
            raise LookupError(f"ONETHING_{service.upper()}_URL is not set for {self.name}.")
        return str(url)

    def nudge(self, loop_name: str) -> None:
        """Wake a loop of this process; a name that no loop has is passed over."""
        runner = self.loops.get(loop_name)
        if runner is not None:
            runner.nudge()

    def count_handled(self, count: int) -> None:
        """Add to what /quiet reports as handled."""
        self.handled += count

    async def close(self) -> None:
        """Give back connections, at the very end."""
        for client in self._clients.values():
            await client.close()
        await self.database.close()
