"""How the player reaches everyone: services over HTTP with tokens, and the other actors of the city."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import httpx
import structlog

from contracts.events.authorisation import SigningMethod
from contracts.http.casework import ReportVisit, TaskKind, TaskList
from deploy.sandbox.actor import CHINA, ActorSettings
from deploy.sandbox.officers.app import officer_id
from deploy.sandbox.officers.findings import findings
from deploy.sandbox.player.cast import Cast, Person
from deploy.sandbox.player.performance import Performance
from deploy.sandbox.player.record import Record
from deploy.sandbox.player.source_answers import source_answer
from deploy.sandbox.player.story import Does, Step
from deploy.sandbox.tokens import IdentityProvider

log = structlog.get_logger()

PASSING = (httpx.TransportError,)
CITIZENS = UUID("5b0c9c1e-0000-7000-8000-000000000000")


class NotNow(Exception):
    """A service is down: the step stays due and is tried again."""


class Refused(Exception):
    """A service refused a step: the story cannot go on as told."""


class Stage:
    """Everyone a performance talks to."""

    def __init__(self, settings: ActorSettings) -> None:
        if settings.idp_key_file is None:
            raise ValueError("ONETHING_IDP_KEY_FILE is needed: people of a story sign in.")
        self._settings = settings
        self._identities = IdentityProvider(settings.idp_key_file)
        self._client = httpx.AsyncClient(timeout=20)

    async def area_codes(self) -> dict[str, str]:
        """Area codes by name: `白沙镇`, and `江津区白沙镇`."""
        areas = (await self._call("GET", f"{self._settings.intake_url}/areas"))["areas"]
        names = {area["code"]: area["name"] for area in areas}
        codes = {area["name"]: area["code"] for area in areas}
        codes |= {names[area["parent"]] + area["name"]: area["code"] for area in areas if area["parent"] in names}
        return codes

    async def prepare(self, performance: Performance) -> None:
        """Tell sources and departments of the city what this story makes them answer."""
        cast, story = performance.cast, performance.story
        for source, answers in story.sources.items():
            for name, answer in answers.items():
                body = {"identity_number": cast.people[name].identity_number,
                        "answers": {source: source_answer(answer)}}
                await self._call("POST", f"{self._settings.sources_url}/facts", body)
        if "electricity" in story.department:
            body = {"account": cast.electricity_account, "behaviour": story.department["electricity"]}
            await self._call("POST", f"{self._settings.electricity_url}/facts", body)

    async def perform(self, performance: Performance, step: Step, number: int, legal_now: datetime) -> str:
        """Do one step; return what was done, in a few words. Raises NotNow or Refused."""
        match step.does:
            case Does.APPLY | Does.REGISTER_EMERGENCY:
                return await self._apply(performance, step, number, legal_now)
            case Does.AUTHORISE:
                return await self._authorise(performance, performance.cast.people[step.by])
            case Does.VISIT:
                return await self._visit(performance, step, legal_now)

    async def _apply(self, performance: Performance, step: Step, number: int, legal_now: datetime) -> str:
        cast = performance.cast
        form = cast.form(step)
        if step.does is Does.REGISTER_EMERGENCY:
            place = step.by.removeprefix("officer of ")
            code = (await self.area_codes())[place]
            headers = self._identities.headers("officer", officer_id(code, 1), jurisdiction=code)
            form |= {
                "channel": "officer",
                "small_sum": {"amount_fen": round((step.amount_yuan or 0) * 100)},
                "what_happened": {"cause": step.cause, "happened_on": legal_now.astimezone(CHINA).date().isoformat(),
                                  "happened_in": form["submitted_in"]},
            }
        else:
            headers = self._identities.headers("citizen", citizen_id(cast, cast.applicant))
        key = f"{cast.seed}-{number}"
        receipt = await self._call("POST", f"{self._settings.intake_url}/applications", form,
                                   {**headers, "Idempotency-Key": key})
        case_id = UUID(receipt["case_id"])
        if case_id not in performance.case_ids:
            performance.case_ids.append(case_id)
        for entry in receipt["persons"]:
            for person in cast.people.values():
                if person.ref == entry["ref"]:
                    person.person_id = UUID(entry["person_id"])
        visits = [step for step in performance.story.steps if step.does is Does.VISIT]
        await self._call("POST", f"{self._settings.officers_url}/facts", {
            "case_id": str(case_id), "leaves": [TaskKind.VISIT] if visits else [],
            "finds": {name: value for visit in visits for name, value in visit.finds.items()},
        })
        return f"{step.by} applied for {', '.join(step.benefits)} ({step.source})"

    async def _authorise(self, performance: Performance, person: Person) -> str:
        body = {"case_id": str(performance.case_ids[-1]), "person_id": str(person.person_id),
                "identity_number": person.identity_number,
                "authorisation": performance.cast.authorisation(person, SigningMethod.REMOTE_CODE)}
        headers = self._identities.headers("citizen", citizen_id(performance.cast, person))
        await self._call("POST", f"{self._settings.intake_url}/authorisations", body, headers)
        return f"{person.name} authorised from elsewhere"

    async def _visit(self, performance: Performance, step: Step, legal_now: datetime) -> str:
        tasks = TaskList.model_validate(await self._call(
            "GET", f"{self._settings.coordination_url}/tasks?kind=visit", None,
            self._identities.headers("operator", "sandbox:player"),
        )).tasks
        ours = [task for task in tasks if task.case_id in performance.case_ids and task.kind is TaskKind.VISIT]
        if not ours:
            raise Refused("No visit is open for this case: it was not ordered, or was made already.")
        today = legal_now.astimezone(CHINA).date()
        members = [person.person_id for person in performance.cast.people.values() if person.person_id is not None]
        found = findings((), step.finds, members, today)
        for task in ours:
            report = ReportVisit(visited_on=today, findings=found, investigators=[
                officer_id(task.jurisdiction, 1), officer_id(task.jurisdiction, 2)])
            headers = self._identities.headers("officer", officer_id(task.jurisdiction, 1),
                                               jurisdiction=task.jurisdiction)
            await self._call("POST", f"{self._settings.verification_url}/visits/{task.reference_id}/report",
                             report.model_dump(mode="json"), headers)
        return f"{step.by} visited"

    async def gather(self, record: Record) -> Record:
        """Fetch what only the outside world's own books show: the bank's, the department's, the sources'."""
        operator = self._identities.headers("operator", "sandbox:player")
        record.statement = (await self._call("GET", f"{self._settings.bank_url}/statements"))["lines"]
        record.electricity_received = [
            entry for entry in await self._call("GET", f"{self._settings.electricity_url}/received")
            if UUID(entry["headers"]["ce_caseid"]) in record.case_ids
        ]
        record.sources_asked = await self._call("GET", f"{self._settings.sources_url}/asked")
        for name in ("intake", "verification", "approval", "disbursement", "coordination"):
            url = f"{getattr(self._settings, f'{name}_url')}/dead-letters"
            record.dead_letters[name] = len(await self._call("GET", url, None, operator))
        return record

    async def _call(self, method: str, url: str, body: dict[str, Any] | None = None,
                    headers: dict[str, str] | None = None) -> Any:
        try:
            response = await self._client.request(method, url, json=body, headers=headers)
        except PASSING as error:
            raise NotNow(type(error).__name__) from error
        if response.status_code >= 500:
            raise NotNow(f"{response.status_code} from {url}")
        if response.is_error:
            raise Refused(f"{method} {url.split('/', 3)[3]}: {response.status_code} {response.text[:400]}")
        return response.json()


def citizen_id(cast: Cast, person: Person) -> str:
    """An account id of the identity provider: says nothing about the person."""
    return f"citizen:{uuid5(CITIZENS, f'{cast.seed}/{person.ref}')}"
