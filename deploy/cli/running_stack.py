"""The stack that is up now, as the commands talk to it: over HTTP, with signed tokens."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, Self

import httpx

from deploy.local.problem import StackProblem
from deploy.local.secret_store import SecretStore
from deploy.local.world import WORLDS_FOLDER, World, default_home, is_running
from services.runtime.tokens import Caller, TokenSigner

DEMO_HOME = WORLDS_FOLDER / "demo"
FRESH_HOME = WORLDS_FOLDER / "fresh"
TOKEN_LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True)
class RunningStack:
    """A running world and the ways to ask its processes."""

    world: World

    @classmethod
    def find(cls) -> Self:
        """The stack that is up: the kept world first, then a demo. Raises StackProblem `not_up`."""
        for home in (default_home(), DEMO_HOME, FRESH_HOME):
            stack = cls.at(home) if home.exists() else None
            if stack and (stack.world.addresses or is_running(home)):
                return stack
        raise StackProblem("not_up", "No stack is up. Run: onething up")

    @classmethod
    def at(cls, home: Path) -> Self:
        """The stack in a given folder."""
        return cls(World.open(home))

    async def ask(
        self,
        process: str,
        method: str,
        path: str,
        *,
        role: Literal["operator", "keeper"] = "operator",
        **request: Any,
    ) -> Any:
        """Send one request and return the JSON answer.

        Raises StackProblem `no_answer` when the process does not answer, `refused` with its own words when
        it refuses; `not_found` for 404.
        """
        if process not in {**self.world.ports, **self.world.addresses}:
            raise StackProblem("not_up", f"{process} is not part of the stack that is up. Run: onething up")
        headers = {"Authorization": f"Bearer {self._token(role, process)}"}
        # Hazard: with trust_env a proxy of the person's shell would be asked for an address on this machine.
        async with httpx.AsyncClient(timeout=30, trust_env=False, headers=headers) as client:
            try:
                answer = await client.request(method, f"{self.world.url(process)}{path}", **request)
            except httpx.HTTPError as error:
                raise StackProblem(
                    "no_answer", f"{process} does not answer ({type(error).__name__}). See: onething status"
                ) from error
        if answer.is_success:
            return answer.json()
        raise StackProblem("not_found" if answer.status_code == 404 else "refused", f"{process}: {_words(answer)}")

    async def ask_all(self, processes: tuple[str, ...], path: str) -> dict[str, Any]:
        """Ask several processes the same; who knows nothing (404) is left out, other refusals are raised."""
        asked = await asyncio.gather(*(self.ask(process, "GET", path) for process in processes), return_exceptions=True)
        answers: dict[str, Any] = {}
        for process, answer in zip(processes, asked, strict=True):
            if isinstance(answer, StackProblem) and answer.code == "not_found":
                continue
            if isinstance(answer, BaseException):
                raise answer
            answers[process] = answer
        return answers

    def _token(self, role: str, audience: str) -> str:
        signer = TokenSigner.from_file(SecretStore(self.world.secrets).signing_key_file("idp"))
        caller = Caller(subject=f"{role}:command-line", role=role, purpose="operation")
        return signer.person_token(caller, lifetime=TOKEN_LIFETIME, audience=audience)


def _words(answer: httpx.Response) -> str:
    """What the process says in its refusal, as one sentence."""
    try:
        detail = answer.json().get("detail")
    except (ValueError, AttributeError):
        detail = None
    if isinstance(detail, list):  # FastAPI's own validation errors
        detail = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in detail)
    return str(detail or f"answered {answer.status_code}")
