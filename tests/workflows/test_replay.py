"""Workflows that began under an older version of the code go on under this one."""

from __future__ import annotations

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner
from temporalio.workflow import NondeterminismError

from contracts.processes import ItemStarted, Stage, WorkflowName
from tests.workflows.histories import recorded
from workflows.item import ItemWorkflow
from workflows.worker import FAILS_THE_WORKFLOW, sandbox, workflow_classes

HISTORIES = recorded()
GRANTED = "ItemWorkflow.what_a_service_refuses_waits_until_an_operator_has_mended_it"


async def replay(history: WorkflowHistory, *workflows: type) -> None:
    """Raise NondeterminismError where the code gives other commands than the history holds."""
    replayer = Replayer(
        workflows=workflows or workflow_classes(), data_converter=pydantic_data_converter,
        workflow_runner=UnsandboxedWorkflowRunner() if workflows else sandbox(),
        workflow_failure_exception_types=FAILS_THE_WORKFLOW,
    )
    await replayer.replay_workflow(history)


@pytest.mark.parametrize("name", HISTORIES)
async def test_what_began_under_older_code_goes_on_under_this(name: str) -> None:
    await replay(HISTORIES[name])


def test_every_workflow_has_a_recorded_history() -> None:
    assert {name.partition(".")[0] for name in HISTORIES} == set(WorkflowName)


@workflow.defn(name=WorkflowName.ITEM)
class ShowsFirst(ItemWorkflow):
    """The same story with one command more at its beginning."""

    @workflow.init
    def __init__(self, start: ItemStarted) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, start: ItemStarted) -> Stage:
        await workflow.sleep(1)
        return await super().run(start)


@workflow.defn(name=WorkflowName.ITEM)
class ShowsFirstWhereNew(ItemWorkflow):
    """The same command, only for workflows that begin from now on."""

    @workflow.init
    def __init__(self, start: ItemStarted) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, start: ItemStarted) -> Stage:
        if workflow.patched("show first"):
            await workflow.sleep(1)
        return await super().run(start)


async def test_a_changed_order_of_commands_is_found() -> None:
    with pytest.raises(NondeterminismError):
        await replay(HISTORIES[GRANTED], ShowsFirst)


async def test_a_changed_order_behind_a_patch_marker_is_let_through() -> None:
    await replay(HISTORIES[GRANTED], ShowsFirstWhereNew)
