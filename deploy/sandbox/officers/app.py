"""The officers' process: plans each task it finds on the task list and does it at its planned legal moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import httpx
import structlog
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from contracts.facts import Fact, FactName, Origin
from contracts.http.casework import Finding, RecordFindings, ReportVisit, Task, TaskKind, TaskList
from deploy.sandbox.actor import CHINA, ActorSettings, QuietActor, actor_app, serve
from deploy.sandbox.officers.usual_days import planned_for
from deploy.sandbox.tokens import IdentityProvider

log = structlog.get_logger()

DOCUMENT_SEEN = "入户调查表 (sandbox)"


class Instructions(BaseModel):
    """What a story tells the officers about one case."""

    model_config = ConfigDict(extra="forbid")

    case_id: UUID
    leaves: list[TaskKind] = []
    """Tasks that the story does itself."""
    finds: dict[FactName, bool | int | str] = {}
    """What an officer would find."""


@dataclass
class Plan:
    """One task and when it will be done."""

    task: Task
    at: datetime


class Officers(QuietActor):
    """All officers of the city in one process, each signing with an id of their own place."""

    def __init__(self, settings: ActorSettings) -> None:
        if settings.idp_key_file is None:
            raise ValueError("ONETHING_IDP_KEY_FILE is needed: officers sign with tokens of the identity provider.")
        self._settings = settings
        self._identities = IdentityProvider(settings.idp_key_file)
        self._client = httpx.AsyncClient(timeout=20)
        self._instructions: dict[UUID, Instructions] = {}
        self._plans: dict[UUID, Plan] = {}
        self._done: set[UUID] = set()

    def instruct(self, instructions: Instructions) -> None:
        """Take a story's word for one case."""
        self._instructions[instructions.case_id] = instructions

    def next_at(self) -> datetime | None:
        """The earliest planned task."""
        return min((plan.at for plan in self._plans.values()), default=None)

    async def act(self, legal_now: datetime, leap_number: int) -> int:
        """Plan what is new on the lists, then do what is due."""
        self._plan(await self._open_tasks(), legal_now)
        acted = 0
        for plan in sorted(self._plans.values(), key=lambda plan: plan.at):
            if plan.at <= legal_now:
                acted += await self._do(plan.task, legal_now)
        return acted

    async def _open_tasks(self) -> list[Task]:
        response = await self._client.get(
            f"{self._settings.coordination_url}/tasks",
            headers=self._identities.headers("operator", "sandbox:officers"),
        )
        response.raise_for_status()
        return TaskList.model_validate_json(response.content).tasks

    def _plan(self, tasks: list[Task], legal_now: datetime) -> None:
        """Keep a plan for each open task that is ours to do; forget plans of closed ones."""
        open_ids = {task.task_id for task in tasks}
        self._plans = {task_id: plan for task_id, plan in self._plans.items() if task_id in open_ids}
        for task in tasks:
            instructions = self._instructions.get(task.case_id)
            left_to_story = instructions is not None and task.kind in instructions.leaves
            if task.kind is TaskKind.CHASE_REFERRAL or left_to_story or task.task_id in self._done:
                self._plans.pop(task.task_id, None)
            elif task.task_id not in self._plans:
                self._plans[task.task_id] = Plan(task, planned_for(task, legal_now))

    async def _do(self, task: Task, legal_now: datetime) -> int:
        """Do one task as an officer of its place. A refusal is logged and the task left alone."""
        match task.kind:
            case TaskKind.VISIT:
                path, body = self._visit(task, legal_now)
            case TaskKind.GIVE_FINDING:
                path, body = self._finding(task, legal_now)
            case TaskKind.CONFIRM_DECISION:
                path, body = f"{self._settings.approval_url}/decisions/{task.reference_id}/confirm", "{}"
            case _:
                return 0
        response = await self._client.post(
            path, content=body,
            headers={"Content-Type": "application/json",
                     **self._identities.headers("officer", officer_id(task.jurisdiction, 1),
                                                jurisdiction=task.jurisdiction)},
        )
        del self._plans[task.task_id]
        if response.status_code >= 500:
            self._plans[task.task_id] = Plan(task, legal_now)  # the service is down: the same moment, again
            return 0
        self._done.add(task.task_id)
        if response.is_error:
            log.warning("officer.refused", task=task.kind, task_id=str(task.task_id), status=response.status_code,
                        problem=response.json().get("type"))
        return 1

    def _visit(self, task: Task, legal_now: datetime) -> tuple[str, str]:
        report = ReportVisit(
            visited_on=legal_now.astimezone(CHINA).date(),
            investigators=[officer_id(task.jurisdiction, 1), officer_id(task.jurisdiction, 2)],
            findings=self._findings(task, legal_now),
        )
        return f"{self._settings.verification_url}/visits/{task.reference_id}/report", report.model_dump_json()

    def _finding(self, task: Task, legal_now: datetime) -> tuple[str, str]:
        body = RecordFindings(findings=self._findings(task, legal_now))
        return f"{self._settings.verification_url}/items/{task.item_id}/findings", body.model_dump_json()

    def _findings(self, task: Task, legal_now: datetime) -> list[Finding]:
        """What is wanted, as the story says, else as an officer of a quiet town would find it."""
        instructions = self._instructions.get(task.case_id)
        told = instructions.finds if instructions else {}
        wanted = [name for name in FactName if name in task.wanted or name in told]
        return [
            Finding(document=DOCUMENT_SEEN,
                    fact=Fact(name=name, value=told.get(name, True), origin=Origin.VISIT,
                              as_of=legal_now.astimezone(CHINA).date(), source=DOCUMENT_SEEN))
            for name in wanted
        ]


def officer_id(place: str, number: int) -> str:
    """The id an officer of a place signs with."""
    return f"officer:{place}:{number}"


def main() -> None:
    """Run the officers."""
    settings = ActorSettings()  # pyright: ignore[reportCallIssue]  # filled from the environment
    officers = Officers(settings)
    router = APIRouter()

    @router.post("/facts")
    async def facts(body: Instructions) -> dict[str, str]:
        officers.instruct(body)
        return {"status": "taken"}

    serve(actor_app("officers", officers, [router]), settings)


if __name__ == "__main__":
    main()
