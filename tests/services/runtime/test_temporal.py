"""Temporal: payloads are encrypted or refused, refusals are not retried, ended workflows stay ended."""

from __future__ import annotations

import asyncio
import base64
import socket
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

import pytest
from temporalio import activity, workflow
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowFailureError
from temporalio.converter import DataConverter
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from contracts.processes import Leap
from services.runtime.payloads import PayloadRefused, data_converter
from services.runtime.problems import Problem, Unavailable
from services.runtime.temporal import (
    Delivery,
    RunningActivities,
    TemporalConnection,
    WorkerKeeper,
    activity_worker,
    signal_workflow,
    start_or_signal,
)

if TYPE_CHECKING:
    from services.runtime.context import Runtime

KEY = base64.b64encode(b"k" * 32).decode()
OTHER_KEY = base64.b64encode(b"o" * 32).decode()
IDENTITY_NUMBER = "500116199001011234"
BINARY = str(Path(sys.executable).parent / "temporal")
QUEUE = "test-temporal"
POLLS_MAX = 400


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class CountingRuntime:
    """The part of a runtime that a worker touches."""

    def __init__(self) -> None:
        self.name = QUEUE
        self.running_activities = RunningActivities()
        self.handled = 0

    def count_handled(self, count: int) -> None:
        self.handled += count


@workflow.defn(name="Ask")
class Ask:
    @workflow.run
    async def run(self, question: str) -> str:
        return await workflow.execute_activity(
            question, task_queue=QUEUE, start_to_close_timeout=timedelta(seconds=60), result_type=str,
            heartbeat_timeout=timedelta(seconds=4),
        )


@workflow.defn(name="Collect")
class Collect:
    def __init__(self) -> None:
        self.numbers: list[int] = []

    @workflow.run
    async def run(self, wanted: int) -> list[int]:
        await workflow.wait_condition(lambda: len(self.numbers) >= wanted)
        return self.numbers

    @workflow.signal
    def number(self, leap: Leap) -> None:
        self.numbers.append(leap.number)


class Activities:
    def __init__(self, runtime: CountingRuntime) -> None:
        self.runtime = runtime
        self.attempts: dict[str, int] = {}
        self.may_end = asyncio.Event()

    def _attempt(self, name: str) -> int:
        self.attempts[name] = self.attempts.get(name, 0) + 1
        return self.attempts[name]

    @activity.defn(name="refuses")
    async def refuses(self) -> str:
        self._attempt("refuses")
        raise Problem(409, "notice_open", f"Notice open for {IDENTITY_NUMBER}.")

    @activity.defn(name="fails_once")
    async def fails_once(self) -> str:
        if self._attempt("fails_once") == 1:
            raise Unavailable("the bank does not answer")
        return f"running {self.runtime.running_activities.count}"

    @activity.defn(name="lasts")
    async def lasts(self) -> str:
        self._attempt("lasts")
        await self.may_end.wait()
        return "done"

    @property
    def all(self) -> list[Any]:
        return [self.refuses, self.fails_once, self.lasts]


def workflows_of(client: Client, kind: type) -> Worker:
    return Worker(
        client, task_queue="workflows", workflows=[kind], workflow_runner=UnsandboxedWorkflowRunner()
    )


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    environment = await WorkflowEnvironment.start_local(
        data_converter=data_converter(KEY), dev_server_existing_path=BINARY
    )
    async with environment:
        yield environment.client


async def encrypted(converter: DataConverter, value: Any) -> Payload:
    return (await converter.encode([value]))[0]


async def test_a_payload_is_encrypted_and_comes_back():
    converter = data_converter(KEY)
    payload = await encrypted(converter, Leap(number=3, offset_us=4))
    assert b"number" not in payload.SerializeToString()
    assert await converter.decode([payload], [Leap]) == [Leap(number=3, offset_us=4)]


async def test_the_same_value_is_never_encrypted_to_the_same_bytes():
    converter = data_converter(KEY)
    assert (await encrypted(converter, "a")).data != (await encrypted(converter, "a")).data


async def test_plaintext_another_key_and_a_changed_byte_are_refused():
    converter = data_converter(KEY)
    plain = converter.payload_converter.to_payloads(["a"])[0]
    foreign = await encrypted(data_converter(OTHER_KEY), "a")
    changed = await encrypted(converter, "a")
    changed.data = changed.data[:-1] + bytes([changed.data[-1] ^ 1])
    for payload in (plain, foreign, changed):
        with pytest.raises(PayloadRefused):
            await converter.decode([payload])


@pytest.mark.parametrize("key", ["", "not base64!", base64.b64encode(b"short").decode()])
def test_there_is_no_default_key(key: str):
    with pytest.raises(ValueError):
        data_converter(key)


async def test_a_refusal_in_an_activity_is_not_tried_again_and_is_told_encrypted(client: Client):
    runtime = CountingRuntime()
    activities = Activities(runtime)
    serving = activity_worker(client, cast("Runtime", runtime), activities.all)
    async with serving, workflows_of(client, Ask):
        handle = await client.start_workflow(Ask.run, "refuses", id=f"ask-{uuid4()}", task_queue="workflows")
        with pytest.raises(WorkflowFailureError) as failed:
            await handle.result()
        history = (await handle.fetch_history()).to_json()
    activity_error = failed.value.cause
    assert isinstance(activity_error, ActivityError)
    refusal = activity_error.cause
    assert isinstance(refusal, ApplicationError)
    assert (refusal.type, refusal.non_retryable, activities.attempts) == ("notice_open", True, {"refuses": 1})
    assert "Notice open" not in history


async def test_a_passing_failure_is_tried_again_and_activities_are_counted(client: Client):
    runtime = CountingRuntime()
    activities = Activities(runtime)
    serving = activity_worker(client, cast("Runtime", runtime), activities.all)
    async with serving, workflows_of(client, Ask):
        answer = await client.execute_workflow(
            Ask.run, "fails_once", id=f"ask-{uuid4()}", task_queue="workflows"
        )
    assert (answer, runtime.handled, runtime.running_activities.count) == ("running 1", 2, 0)


async def test_an_activity_that_lasts_shows_that_its_process_lives(client: Client):
    runtime = CountingRuntime()
    activities = Activities(runtime)
    serving = activity_worker(client, cast("Runtime", runtime), activities.all)
    async with serving, workflows_of(client, Ask):
        handle = await client.start_workflow(Ask.run, "lasts", id=f"ask-{uuid4()}", task_queue="workflows")
        for _ in range(POLLS_MAX):
            under_way = (await handle.describe()).raw_description.pending_activities
            if under_way and under_way[0].HasField("last_heartbeat_time"):
                break
            await asyncio.sleep(0.05)
        else:
            pytest.fail("no sign of life came")
        activities.may_end.set()
        assert (await handle.result(), activities.attempts) == ("done", {"lasts": 1})


async def test_signal_with_start_never_starts_what_has_ended(client: Client):
    workflow_id = f"collect-{uuid4()}"

    async def tell(number: int) -> Delivery:
        return await start_or_signal(
            client,
            "Collect",
            2,
            workflow_id=workflow_id,
            task_queue="workflows",
            signal="number",
            message=Leap(number=number),
        )

    async with workflows_of(client, Collect):
        assert [await tell(1), await tell(2)] == [Delivery.DELIVERED, Delivery.DELIVERED]
        assert await client.get_workflow_handle(workflow_id).result() == [1, 2]
        assert await tell(3) == Delivery.ENDED
        assert await signal_workflow(client, workflow_id, "number", Leap(number=4)) == Delivery.ENDED
        assert await signal_workflow(client, "unknown", "number", Leap(number=4)) == Delivery.ENDED


async def test_starting_twice_without_a_signal_is_told_apart(client: Client):
    async def start() -> Delivery:
        return await start_or_signal(client, "Collect", 1, workflow_id="collect-once", task_queue="workflows")

    assert [await start(), await start()] == [Delivery.DELIVERED, Delivery.ALREADY_STARTED]


async def test_a_worker_waits_for_a_server_that_is_down_and_finds_it_again():
    port = free_port()
    runtime = CountingRuntime()
    activities = Activities(runtime)
    connection = TemporalConnection(f"127.0.0.1:{port}", "default", KEY)
    keeper = WorkerKeeper(
        connection, lambda client: activity_worker(client, cast("Runtime", runtime), activities.all)
    )
    with pytest.raises(Unavailable):
        await connection.client()
    keeper.start()
    assert keeper.running is False
    environment = await WorkflowEnvironment.start_local(dev_server_existing_path=BINARY, port=port)
    async with environment:
        for _ in range(POLLS_MAX):
            if keeper.running:
                break
            await asyncio.sleep(0.05)
        assert keeper.running is True
        client = await connection.client()
        async with workflows_of(client, Ask):
            answer = await client.execute_workflow(Ask.run, "fails_once", id="ask", task_queue="workflows")
        assert answer == "running 1"
        await keeper.stop()
    assert keeper.running is False
