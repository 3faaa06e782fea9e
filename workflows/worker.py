"""The process that runs the workflows, and nothing else: `python -m workflows.worker`."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module

from temporalio.client import Client
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from contracts.processes import WORKFLOW_QUEUE
from services.runtime.context import Runtime
from services.runtime.local_clock import LocalClock
from services.runtime.process import Service, run
from services.runtime.settings import ProcessSettings
from services.runtime.temporal import ActivityWatch

WORKFLOWS = (
    "workflows.item:ItemWorkflow",
    "workflows.referral:ReferralWorkflow",
    "workflows.payment_run:PaymentRunWorkflow",
)

FAILS_THE_WORKFLOW = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NameError,
    TypeError,
    ValueError,
)
"""Errors of ours end the workflow, visibly; otherwise Temporal retries the task for ever.

Hazard: not `Exception`. That takes in NondeterminismError, and one bad deployment would end every open
workflow instead of waiting for the good one.
"""

STOP_GRACE = timedelta(seconds=5)
PASSED_THROUGH = ("contracts", "pydantic", "pydantic_core", "annotated_types", "typing_inspection")


def sandbox() -> SandboxedWorkflowRunner:
    """The deterministic sandbox. Messages are plain data and are not loaded anew for every workflow."""
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
    return SandboxedWorkflowRunner(restrictions=restrictions)


def workflow_classes() -> list[type]:
    """The workflows this worker runs."""
    named = (entry.partition(":") for entry in WORKFLOWS)
    return [getattr(import_module(module), name) for module, _, name in named]


def workflow_worker(client: Client, runtime: Runtime) -> Worker:
    """Workflow tasks of every workflow, and the one local activity: reading the clock."""
    return Worker(
        client,
        task_queue=WORKFLOW_QUEUE,
        workflows=workflow_classes(),
        activities=LocalClock(runtime).activities,
        interceptors=[ActivityWatch(runtime)],
        workflow_runner=sandbox(),
        workflow_failure_exception_types=FAILS_THE_WORKFLOW,
        # Local activities need no polling for activity tasks; nobody schedules remote ones on this queue.
        no_remote_activities=True,
        graceful_shutdown_timeout=STOP_GRACE,
    )


if __name__ == "__main__":
    run(Service("workflows", ProcessSettings, worker=workflow_worker))
