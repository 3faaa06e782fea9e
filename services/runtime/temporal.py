"""Temporal: one connection per process, workers that outlive outages, and telling workflows things."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any

import structlog
from temporalio import activity
from temporalio.client import Client
from temporalio.common import TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.runtime import LogForwardingConfig, LoggingConfig, TelemetryConfig, TelemetryFilter
from temporalio.runtime import Runtime as CoreRuntime
from temporalio.service import RetryConfig, RPCError, RPCStatusCode
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor, Worker

from services.runtime.loops import backoff_seconds
from services.runtime.payloads import data_converter
from services.runtime.problems import PermanentError, Unavailable, error_trace

if TYPE_CHECKING:
    from services.runtime.context import Runtime

log = structlog.get_logger(__name__)

REFUSALS = frozenset(
    {RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.FAILED_PRECONDITION, RPCStatusCode.PERMISSION_DENIED}
)
CONNECT_TIMEOUT_SECONDS = 5.0
CALL_RETRIES = RetryConfig(max_interval_millis=1000, max_elapsed_time_millis=3000, max_retries=5)
"""Short: whoever tells a workflow something retries by itself, and a process that stops must not wait."""
HEALTH_TIMEOUT = timedelta(seconds=1)
ACTIVITY_GRACE = timedelta(seconds=5)
HEARTBEATS_WITHIN = 4
"""So many signs of life may come late together before the server takes a process for dead."""
STOP_TIMEOUT_SECONDS = 7.0


@cache
def _core_runtime() -> CoreRuntime:
    forwarding = LogForwardingConfig(logger=logging.getLogger("temporalio.core"))
    filters = TelemetryFilter(core_level="ERROR", other_level="ERROR")
    return CoreRuntime(
        telemetry=TelemetryConfig(logging=LoggingConfig(filter=filters, forwarding=forwarding))
    )


class TemporalConnection:
    """The process's one client, connected at first use; the server may be down meanwhile."""

    def __init__(self, address: str, namespace: str, payload_key: str) -> None:
        self._address = address
        self._namespace = namespace
        self._converter = data_converter(payload_key)
        self._lock = asyncio.Lock()
        self._client: Client | None = None

    async def answers(self) -> bool:
        """True where the server is there and well just now."""
        if self._client is None:
            return False
        try:
            return await self._client.service_client.check_health(timeout=HEALTH_TIMEOUT)
        except RPCError:
            return False

    async def client(self) -> Client:
        """The connected client. Raises Unavailable while the server does not answer."""
        async with self._lock:
            if self._client is None:
                connecting = Client.connect(
                    self._address,
                    namespace=self._namespace,
                    data_converter=self._converter,
                    retry_config=CALL_RETRIES,
                    runtime=_core_runtime(),
                )
                try:
                    self._client = await asyncio.wait_for(connecting, CONNECT_TIMEOUT_SECONDS)
                except (RuntimeError, RPCError, TimeoutError):
                    raise Unavailable(f"Temporal at {self._address} does not answer.") from None
            return self._client


@dataclass
class RunningActivities:
    """Activities under way in this process."""

    count: int = 0


class ActivityWatch(Interceptor):
    """Counts activities under way and done, logs failures, and marks refusals as not worth retrying."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """See the base class."""
        return _WatchedActivity(next, self._runtime)


class _WatchedActivity(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, runtime: Runtime) -> None:
        super().__init__(next)
        self._runtime = runtime

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        info = activity.info()
        running = self._runtime.running_activities
        running.count += 1
        context = {"activity": info.activity_type, "workflow_id": info.workflow_id, "attempt": info.attempt}
        living = asyncio.create_task(_tell_life(info.heartbeat_timeout), name=f"heartbeat {info.activity_type}")
        try:
            with structlog.contextvars.bound_contextvars(**context):
                return await self._execute(input)
        finally:
            living.cancel()
            running.count -= 1
            self._runtime.count_handled(1)

    async def _execute(self, input: ExecuteActivityInput) -> Any:
        try:
            return await super().execute_activity(input)
        except PermanentError as refused:
            log.warning("activity.refused", code=refused.code)
            raise not_retryable(refused) from None
        except Exception as error:
            log.warning("activity.failed", **error_trace(error))
            raise


async def _tell_life(within: timedelta | None) -> None:
    """Tell the server that this process lives: an activity of one that was killed is then soon given to another."""
    while within:
        await asyncio.sleep(within.total_seconds() / HEARTBEATS_WITHIN)
        activity.heartbeat()


def not_retryable(refused: PermanentError) -> ApplicationError:
    """A refusal as the failure of an activity: its code is the type, and it is not tried again."""
    return ApplicationError(refused.detail, type=refused.code, non_retryable=True)


def activity_worker(client: Client, runtime: Runtime, activities: Sequence[Callable[..., Any]]) -> Worker:
    """A worker for the service's activities on the task queue named like the service."""
    return Worker(
        client,
        task_queue=runtime.name,
        activities=activities,
        interceptors=[ActivityWatch(runtime)],
        graceful_shutdown_timeout=ACTIVITY_GRACE,
    )


class WorkerKeeper:
    """Keeps a worker running: Temporal may be down at the start, go away and come back."""

    def __init__(self, connection: TemporalConnection, build: Callable[[Client], Worker]) -> None:
        self._connection = connection
        self._build = build
        self._worker: Worker | None = None
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        """True while a worker polls."""
        return self._worker is not None and self._worker.is_running

    def start(self) -> None:
        """Start in the background; failures never end the process."""
        self._task = asyncio.create_task(self._run(), name="temporal worker")

    async def stop(self) -> None:
        """Take no more tasks, let those under way finish within their grace, end."""
        self._stopping.set()
        if self._worker is not None and self._worker.is_running:
            await _within(self._worker.shutdown())
        if self._task is not None:
            await _within(self._task)

    async def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                self._worker = self._build(await self._connection.client())
                await self._worker.run()
                failures = 0
            except Unavailable:
                failures += 1
                log.debug("temporal.unavailable", failures=failures)
            except Exception as error:
                failures += 1
                log.warning("temporal.worker_failed", failures=failures, **error_trace(error))
            if not self._stopping.is_set():
                await _within(self._stopping.wait(), backoff_seconds(failures))


async def _within(work: Any, seconds: float = STOP_TIMEOUT_SECONDS) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(work, seconds)


class Delivery(StrEnum):
    """What became of a message to a workflow. None of these is an error: they are business facts."""

    DELIVERED = "delivered"
    ALREADY_STARTED = "already_started"
    ENDED = "ended"
    """The workflow is over, or Temporal no longer knows it."""


async def start_or_signal(
    client: Client,
    workflow: str,
    start: Any,
    *,
    workflow_id: str,
    task_queue: str,
    signal: str | None = None,
    message: Any = None,
    search_attributes: TypedSearchAttributes | None = None,
) -> Delivery:
    """Start the workflow, or signal the one that runs (signal-with-start); one that ended never starts again.

    Raises Unavailable while Temporal does not answer, PermanentError where it refuses this very word.
    """
    signalling: dict[str, Any] = {}
    if signal is not None:
        signalling = {"start_signal": signal, "start_signal_args": [message]}
    try:
        await client.start_workflow(
            workflow,
            start,
            id=workflow_id,
            task_queue=task_queue,
            # Hazard: without this a late event starts a finished case anew. It holds while the namespace
            # retains the closed run; the bridge looks up the item's end in its own table first.
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            search_attributes=search_attributes,
            **signalling,
        )
    except WorkflowAlreadyStartedError:
        return Delivery.ENDED if signal is not None else Delivery.ALREADY_STARTED
    except RPCError as error:
        raise _not_taken(workflow_id, error) from None
    return Delivery.DELIVERED


async def signal_workflow(client: Client, workflow_id: str, signal: str, message: Any) -> Delivery:
    """Signal a running workflow. Raises Unavailable while Temporal does not answer, PermanentError where it refuses."""
    try:
        await client.get_workflow_handle(workflow_id).signal(signal, message)
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return Delivery.ENDED
        raise _not_taken(workflow_id, error) from None
    return Delivery.DELIVERED


def _not_taken(workflow_id: str, error: RPCError) -> PermanentError | Unavailable:
    """What Temporal's refusal means: sending the same again helps only where the server was in the way."""
    sentence = f"Temporal did not take a word to {workflow_id}: {error.status.name}."
    if error.status in REFUSALS:
        return PermanentError(sentence, code="temporal_refused")
    return Unavailable(sentence)
