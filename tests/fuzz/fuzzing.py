"""Thousands of calls in rounds: each round fills the service anew, calls it, and shrinks what goes wrong."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

import httpx
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from structlog.testing import capture_logs

from tests.fuzz.calls import Call, Inhabited, as_sent, calls, strangers
from tests.fuzz.fuzzed_service import FuzzedService
from tests.fuzz.inhabited import inhabit
from tests.fuzz.judgement import MAY_BE_UNAVAILABLE, faults

CALLS_PER_ROUND = 500
STRANGERS_PER_ROUND = 25
ANSWER_SECONDS = 60
DONE = range(200, 300)
CHANGES_NOTHING = {"POST /dead-letters/resume"}
IN_EVERY_SERVICE = "/dead-letters"
WEIGHT_OF_COMMANDS = 4
"""How often an operation that takes something in is called for each time that one is read."""
SETTINGS = settings(
    deadline=None, database=None, derandomize=False, report_multiple_bugs=False, verbosity=Verbosity.quiet,
    suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink],
)


class Wrong(AssertionError):
    """An answer that must not be, with the call that got it."""


@dataclass
class Tally:
    """How many calls an operation got, by the answer's status."""

    seed: int
    answers: Counter[tuple[str, int]] = field(default_factory=Counter[tuple[str, int]])

    @property
    def calls_count(self) -> int:
        return self.answers.total()

    def __str__(self) -> str:
        lines = [f"{label or '(not documented)':64} " + " ".join(
            f"{status}: {count}" for (one, status), count in sorted(self.answers.items()) if one == label)
            for label in sorted({label for label, _ in self.answers})]
        return "\n".join([f"{self.calls_count} calls, seed {self.seed}", *lines])


class Fuzzing:
    """One service being called; Hypothesis works in a thread, the service in the event loop."""

    def __init__(self, service: FuzzedService, first_seed: int) -> None:
        self._service = service
        self._loop = asyncio.get_running_loop()
        self.tally = Tally(first_seed)

    async def run(self, calls_count: int) -> Tally:
        """So many calls at least. Raises Wrong with the smallest call that shows what is wrong."""
        number = self.tally.seed
        while self.tally.calls_count < calls_count:
            self._service.sign()
            inhabited = await inhabit(self._service)
            await self._carry_out_one_of_each(inhabited)
            wanted = min(CALLS_PER_ROUND, max(1, calls_count - self.tally.calls_count))
            await self.call_by(calls(self._service, inhabited, self._labels()), wanted, number)
            await self._refuse_strangers(inhabited, number)
            number += 1
        return self.tally

    async def _refuse_strangers(self, inhabited: Inhabited, number: int) -> None:
        """Besides the count of transactions: nothing at all changes, however it might be written."""
        known = Inhabited([call for call in inhabited.valid if call.caller != "nobody"], inhabited.ids)
        before = await self._service.digest()
        await self.call_by(strangers(self._service, known), STRANGERS_PER_ROUND, number)
        if await self._service.digest() != before:
            raise Wrong(f"Seed {number}: calls without a valid token changed what {self._service.name} stores.")

    async def _carry_out_one_of_each(self, inhabited: Inhabited) -> None:
        """Without this all calls might be refused for one and the same reason."""
        for label in sorted(self._service.operations):
            known = inhabited.of(label)
            if not known:
                raise Wrong(f"{self._service.name}: no valid call of {label} is known. Add it to inhabited.py.")
            call = as_sent(self._service, known[0], known[0].caller)
            found = await self.judge(call)
            if not any(self.tally.answers[label, status] for status in DONE) and label not in MAY_BE_UNAVAILABLE:
                found.append("refused, although it is valid")
            if call.method != "GET" and label not in CHANGES_NOTHING and not self._service.database.written:
                found.append("carried out, but no transaction is known to have written: refusals would pass unseen")
            if found:
                raise Wrong(f"{self._service.name}:\n{call}\n" + "\n".join(found))

    async def call_by(self, of: st.SearchStrategy[Call], count: int, number: int) -> None:
        """So many calls of a strategy; the number is the seed they come from."""
        wrong: list[Wrong] = []

        @seed(number)
        @settings(SETTINGS, max_examples=count)
        @given(of)
        def every_answer_is_right(call: Call) -> None:
            found = asyncio.run_coroutine_threadsafe(self.judge(call), self._loop).result(ANSWER_SECONDS)
            if found:
                wrong.append(Wrong(f"Seed {number}, {self._service.name}:\n{call}\n" + "\n".join(found)))
                raise wrong[-1]

        try:
            await asyncio.to_thread(every_answer_is_right)
        except Flaky:
            # What is stored changes with each call, so a wrong answer need not come again.
            if not wrong:
                raise
            raise min(wrong, key=lambda each: len(str(each))) from None

    async def judge(self, call: Call) -> list[str]:
        """Send the call and say what is wrong with the answer."""
        service = self._service
        operation = service.operations.get(call.label)
        service.database.written = 0
        with capture_logs() as logged:
            answer = await self._send(call)
        self.tally.answers[call.label, answer.status_code] += 1
        found = faults(call, operation, answer, written=service.database.written, logged=logged)
        if found:
            found += [f"{answer.status_code} {answer.text[:1_000]}", *map(str, logged)]
        return found

    async def _send(self, call: Call) -> httpx.Response:
        token = {name.lower(): value.encode() for name, value in self._service.callers.get(call.caller, {}).items()}
        headers = [*(token | dict(call.headers)).items()]
        request = self._service.http.build_request(call.method, call.url, content=call.body or None)
        request.headers = httpx.Headers([(b"host", b"fuzz"), *((name.encode(), value) for name, value in headers)])
        return await self._service.http.send(request)

    def _labels(self) -> list[str]:
        """Every documented operation; those that take something in more often."""
        return [label for label in sorted(self._service.operations)
                for _ in range(WEIGHT_OF_COMMANDS if label.startswith("POST") and IN_EVERY_SERVICE not in label else 1)]
