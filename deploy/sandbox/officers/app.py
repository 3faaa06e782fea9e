"""The officers' process: plans each task it finds on the task list and does it at its planned legal moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import httpx
import structlog
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from contracts.facts import FactName
from contracts.http.casework import ConfirmSmallSum, Finding, RecordFindings, ReportVisit, Task, TaskKind, TaskList
from deploy.sandbox.actor import CHINA, ActorSettings, QuietActor, actor_app, serve
from deploy.sandbox.officers.findings import findings
from deploy.sandbox.officers.usual_days import planned_for
from deploy.sandbox.tokens import IdentityProvider

log = structlog.get_logger()

USUAL_SMALL_SUM = ConfirmSmallSum(amount_fen=50_000, cause="other")
"""500 yuan: within a month of dibao in every town we know; an officer of the sandbox does not know the cap."""
Asked = tuple[UUID, tuple[str, ...]]


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
        self._done: set[Asked] = set()

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
            if task.kind is TaskKind.CHASE_REFERRAL or left_to_story or _asked(task) in self._done:
                self._plans.pop(task.task_id, None)
            elif task.task_id not in self._plans or _asked(self._plans[task.task_id].task) != _asked(task):
                self._plans[task.task_id] = Plan(task, planned_for(task, legal_now))

    async def _do(self, task: Task, legal_now: datetime) -> int:
        """Do one task as an officer of its place. A refusal is logged and the task left alone."""
        request = await self._request(task, legal_now)
        if request is None:
            log.info("officer.cannot_tell", task_id=str(task.task_id), wanted=task.wanted)
            self._plans.pop(task.task_id)
            self._done.add(_asked(task))
            return 1
        path, body = request
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
        self._done.add(_asked(task))
        if response.is_error:
            log.warning("officer.refused", task=task.kind, task_id=str(task.task_id), status=response.status_code,
                        problem=response.json().get("type"))
        return 1

    async def _request(self, task: Task, legal_now: datetime) -> tuple[str, str] | None:
        """Where to send what for a task; None where the officer has nothing to tell."""
        verification_url, approval_url = self._settings.verification_url, self._settings.approval_url
        match task.kind:
            case TaskKind.VISIT:
                report = ReportVisit(
                    visited_on=legal_now.astimezone(CHINA).date(),
                    investigators=[officer_id(task.jurisdiction, 1), officer_id(task.jurisdiction, 2)],
                    findings=await self._findings(task, legal_now),
                )
                return f"{verification_url}/visits/{task.reference_id}/report", report.model_dump_json()
            case TaskKind.GIVE_FINDING:
                found = await self._findings(task, legal_now)
                if not found:
                    return None
                return (f"{verification_url}/items/{task.item_id}/findings",
                        RecordFindings(findings=found).model_dump_json())
            case TaskKind.CONFIRM_DECISION:
                return f"{approval_url}/decisions/{task.reference_id}/confirm", "{}"
            case TaskKind.DECIDE_SMALL_SUM:
                return f"{approval_url}/items/{task.item_id}/small-sum", USUAL_SMALL_SUM.model_dump_json()
            case TaskKind.CHASE_REFERRAL:
                return None

    async def _findings(self, task: Task, legal_now: datetime) -> list[Finding]:
        instructions = self._instructions.get(task.case_id)
        told = instructions.finds if instructions else {}
        return findings(task.wanted, told, await self._household(task), legal_now.astimezone(CHINA).date())

    async def _household(self, task: Task) -> list[UUID]:
        """The persons of the household, as the visits of its case list them."""
        response = await self._client.get(
            f"{self._settings.verification_url}/cases/{task.case_id}",
            headers=self._identities.headers("operator", "sandbox:officers"),
        )
        response.raise_for_status()
        visits = _Household.model_validate_json(response.content).visits
        return visits[0].person_ids if visits else []


class _Visit(BaseModel):
    person_ids: list[UUID]


class _Household(BaseModel):
    """What we read of verification's part of a case."""

    visits: list[_Visit]


def _asked(task: Task) -> Asked:
    """What was asked: the same task may be opened again for something else."""
    return task.task_id, tuple(task.wanted)


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
